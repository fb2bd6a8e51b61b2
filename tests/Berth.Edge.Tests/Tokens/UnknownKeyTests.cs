using System.Net;

namespace Berth.Edge.Tests;

/// <summary>V42 and its kin: made-up key ids beside tokens in order.</summary>
public class UnknownKeyTests
{
    [Fact]
    public async Task KeysReadAnew_Unchanged_KeepWhatTheyVerified()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var provider = edge.Get<IdentityProviders>().All[0];
        var good = Token(edge, edge.Provider.Key);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, good));
        var keys = provider.Current!.Keys;

        // By the background load, and by a made-up key id.
        Assert.True(await provider.RefreshAsync(CancellationToken.None));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(edge, Token(edge, TestKey.NewEc("made-up"))));

        Assert.Equal(3, edge.Provider.JwksRequests);
        Assert.Same(keys, provider.Current!.Keys);
        Assert.True(edge.Get<BearerAuthenticator>().IsVerified("Bearer " + good));
    }

    [Fact]
    public async Task KeysReadAnew_OneMore_KeepWhatTheOthersVerified()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var provider = edge.Get<IdentityProviders>().All[0];
        var old = Token(edge, edge.Provider.Key);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, old));
        var next = TestKey.NewEc("key-2");
        edge.Provider.MoreKeys.Add(next);

        var young = Token(edge, next);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, young));
        Assert.True(edge.Get<BearerAuthenticator>().IsVerified("Bearer " + old));

        // And what the provider takes back counts no more, the other's does. 
        edge.Provider.MoreKeys.Clear();
        Assert.True(await provider.RefreshAsync(CancellationToken.None));
        Assert.True(edge.Get<BearerAuthenticator>().IsVerified("Bearer " + old));
        Assert.False(edge.Get<BearerAuthenticator>().IsVerified("Bearer " + young));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(edge, young));
    }

    [Fact]
    public async Task ProviderThatHangs_HoldsFewRequestsForTwoSecondsAndNoGoodOne()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var before = edge.Provider.JwksRequests;
        var hangs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        edge.Provider.OnJwks = () => hangs.Task;
        var flood = Enumerable.Range(0, IdentityProvider.MaximumWaiters + 40)
            .Select(i => AskAsync(edge, Token(edge, TestKey.NewEc("made-up-" + i)))).ToArray();

        // All but those that may wait are answered while the provider says nothing and time stands still.
        await ProductFixture.Until(() => flood.Count(t => t.IsCompleted) >= 40);
        Assert.InRange(flood.Count(t => !t.IsCompleted), 1, IdentityProvider.MaximumWaiters);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, Token(edge, edge.Provider.Key)));

        // The others when their time is over; who comes then does not wait at all.
        await ProductFixture.Until(() =>
        {
            edge.Clock.Advance(IdentityProvider.MissWait);
            return flood.All(t => t.IsCompleted);
        });
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(edge, Token(edge, TestKey.NewEc("late"))));
        Assert.All(await Task.WhenAll(flood), s => Assert.Equal(HttpStatusCode.Unauthorized, s));
        Assert.Equal(before + 1, edge.Provider.JwksRequests);

        // The background load is not held up by it.
        edge.Provider.OnJwks = null;
        Assert.True(await edge.Get<IdentityProviders>().All[0].RefreshAsync(CancellationToken.None));
        hangs.SetResult();
    }

    [Fact]
    public async Task ProviderThatFails_IsAskedOnceForAFlood()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var before = edge.Provider.JwksRequests;
        edge.Provider.OnJwks = () => Task.FromException(new InvalidOperationException("no keys today"));

        var flood = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => AskAsync(edge, Token(edge, TestKey.NewEc("made-up-" + i)))));

        Assert.All(flood, s => Assert.Equal(HttpStatusCode.Unauthorized, s));
        Assert.Equal(before + 1, edge.Provider.JwksRequests);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(edge, Token(edge, edge.Provider.Key)));
    }

    private static string Token(EdgeFixture edge, TestKey key) =>
        key.Sign(edge.Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");

    private static async Task<HttpStatusCode> AskAsync(EdgeFixture edge, string token)
    {
        using var answer = await edge.NewBrowser().GetAsync($"{EdgeFixture.Origin}/whoami", ("Authorization", "Bearer " + token));
        return answer.StatusCode;
    }
}
