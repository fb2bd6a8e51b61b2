using System.Net;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;
using Berth.Edge.Tests.Vault;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.VaultProxy;

/// <summary>
/// Two whole edges on one PostgreSQL, with the real vault: a connection <c>profile</c> to somebody else's provider, and an API that
/// verifies the tokens it gets against that provider. Nothing between a person's call and the API's answer is scripted.
/// </summary>
internal sealed class VaultProxyFixture : IAsyncDisposable
{
    public const string Call = "/proxy/profile/me";

    private VaultProxyFixture(ForeignProvider provider, ProfileApi api, ProductFixture one, ProductFixture two)
    {
        Provider = provider;
        Api = api;
        One = one;
        Two = two;
    }

    public ForeignProvider Provider { get; }

    public ProfileApi Api { get; }

    public ProductFixture One { get; }

    public ProductFixture Two { get; }

    public static async Task<VaultProxyFixture> StartAsync(ThrowawayPostgres postgres, int accessSeconds = 3600)
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var provider = await ForeignProvider.StartAsync(accessSeconds);
        Skip.If(provider is null, ForeignProvider.SkipReason);
        var api = await ProfileApi.StartAsync(provider!.Issuer);
        var database = postgres.CreateDatabase();
        var vault = Options();
        BerthEdgeOptions Configure(BerthEdgeOptions o) => o with
        {
            Database = new DatabaseOptions { ConnectionString = database },
            Vault = vault,
            Connections = new Dictionary<string, ConnectionOptions>
            {
                ["profile"] = new()
                {
                    Issuer = provider.Issuer,
                    ClientId = ForeignProvider.ClientId,
                    ClientSecret = ForeignProvider.Secret,
                    Scopes = ["openid", "offline_access"],
                    Upstream = new UpstreamOptions { BaseAddress = api.Origin, AllowedPaths = ["/me"] },
                },
            },
        };
        void Store(IServiceCollection s) =>
            s.AddSingleton<IAccountStore>(new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance));
        var one = await ProductFixture.StartAsync(Configure, Store);
        var two = await ProductFixture.StartAsync(Configure, Store, one.Kube, one.Provider);
        await ProductFixture.Until(() => one.Get<VaultService>().IsStarted && two.Get<VaultService>().IsStarted);
        return new VaultProxyFixture(provider, api, one, two);
    }

    /// <summary>A person consents, from the call that begins it to the answer of the callback.</summary>
    /// <returns>Id of the stored token.</returns>
    public async Task<string> ConnectAsync(string person, string? begin = null)
    {
        var browser = await One.SignedInAsync(person);
        using var begun = await browser.GetAsync(begin ?? Manager + "offline-token?connection=profile");
        var url = (string)(await JsonAsync(begun))["consent_url"]!;
        using var answer = await browser.GetAsync(await Provider.AuthorizeAsync(url, person), ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (string)(await JsonAsync(answer))["persistent_token_id"]!;
    }

    /// <summary>Calls the API through an edge: the status, and the answer as JSON.</summary>
    public static async Task<(int Status, JsonObject Body)> CallAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(Call);
        return ((int)answer.StatusCode, await JsonAsync(answer));
    }

    public async ValueTask DisposeAsync()
    {
        await Two.StopAsync();
        await One.DisposeAsync();
        await Api.DisposeAsync();
        await Provider.DisposeAsync();
    }
}
