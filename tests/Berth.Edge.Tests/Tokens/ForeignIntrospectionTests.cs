using Testing;

namespace Berth.Edge.Tests;

/// <summary>Opaque tokens of somebody else's provider, over its own introspection.</summary>
public class ForeignIntrospectionTests
{
    [SkippableFact]
    public async Task Tokens_OfARealProvider_AccessTokensAreACallerRefreshTokensAndOthersAreNot()
    {
        await using var provider = await ForeignProvider.StartAsync(opaque: true);
        Skip.If(provider is null, ForeignProvider.SkipReason);
        await using var edge = await EdgeFixture.StartAsync(
            options: o => o with
            {
                Issuers =
                [
                    new IssuerOptions
                    {
                        Issuer = provider.Issuer,
                        ClientId = ForeignProvider.ClientId,
                        ClientSecret = ForeignProvider.Secret,
                        Introspection = new() { Enabled = true, Clients = [ForeignProvider.ClientId] },
                    },
                ],
                Administrators = [],
            });
        edge.Clock.Advance(TimeProvider.System.GetUtcNow() - edge.Clock.GetUtcNow());
        var grant = await provider.ConsentAsync("ann");

        Assert.DoesNotContain('.', grant.AccessToken);
        Assert.Equal("Bearer ann False", await AskAsync(edge, grant.AccessToken));
        Assert.Equal("401", await AskAsync(edge, grant.RefreshToken));
        Assert.Equal("401", await AskAsync(edge, new string('x', 43)));
        await provider.RevokeAsync(grant.AccessToken);
        edge.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("401", await AskAsync(edge, grant.AccessToken));
    }

    private static async Task<string> AskAsync(EdgeFixture edge, string token)
    {
        using var answer = await edge.NewBrowser().GetAsync(
            $"{EdgeFixture.Origin}/whoami", ("Authorization", "Bearer " + token), ("Accept", "application/json"));
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync() : $"{(int)answer.StatusCode}";
    }
}
