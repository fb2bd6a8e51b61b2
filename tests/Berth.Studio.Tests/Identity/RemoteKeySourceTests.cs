using System.Net;
using Berth.Studio.Identity;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Studio.Tests.Identity;

public sealed class RemoteKeySourceTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestIssuer _issuer = new();
    private readonly Handler _handler = new();
    private readonly HttpClient _client;
    private readonly RemoteKeySource _source;

    public RemoteKeySourceTests()
    {
        _client = new HttpClient(_handler);
        _handler.Answer = () => _issuer.KeySet;
        _source = new RemoteKeySource(new Uri("http://edge.test/jwks.json"), _client, _time, NullLogger<RemoteKeySource>.Instance);
    }

    public void Dispose()
    {
        _source.Dispose();
        _client.Dispose();
        _handler.Dispose();
        _issuer.Dispose();
    }

    [Fact]
    public async Task Find_ManyRequests_FetchesOnce()
    {
        Assert.Equal(0, _handler.Calls);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => _source.FindAsync("key-1", default).AsTask()));

        Assert.NotNull(await _source.FindAsync("key-1", default));
        Assert.Equal(1, _handler.Calls);
    }

    [Fact]
    public async Task Find_UnknownKeys_FetchesAtMostOnceInTenSeconds()
    {
        await _source.FindAsync("key-1", default);
        for (var i = 0; i < 20; i++)
        {
            Assert.Null(await _source.FindAsync("invented-" + i, default));
        }

        Assert.Equal(1, _handler.Calls);
        _time.Advance(RemoteKeySource.MinInterval);
        Assert.Null(await _source.FindAsync("invented", default));
        Assert.Equal(2, _handler.Calls);
    }

    [Fact]
    public async Task Find_KeyWithdrawn_IsForgottenAfterMaxAge()
    {
        Assert.NotNull(await _source.FindAsync("key-1", default));
        _handler.Answer = () => "{\"keys\":[]}";

        _time.Advance(RemoteKeySource.MaxAge);

        Assert.Null(await _source.FindAsync("key-1", default));
    }

    [Fact]
    public async Task Find_IssuerAwayAfterwards_OldKeysStillCount()
    {
        await _source.FindAsync("key-1", default);
        _handler.Answer = () => throw new HttpRequestException("away");

        _time.Advance(RemoteKeySource.MaxAge);

        Assert.NotNull(await _source.FindAsync("key-1", default));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    public async Task Find_NeverHadKeys_SaysUnavailable(string answer)
    {
        _handler.Answer = () => answer;

        await Assert.ThrowsAsync<IdentityKeysUnavailableException>(async () => await _source.FindAsync("key-1", default));
    }

    private sealed class Handler : HttpMessageHandler
    {
        private int _calls;

        public int Calls => _calls;

        public Func<string> Answer { get; set; } = () => "";

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _calls);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Answer()) });
        }
    }
}
