using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Edge.Tests.Vault;

/// <summary>The whole edge with a token vault on a real PostgreSQL.</summary>
internal static class VaultFixture
{
    public const string Manager = ProductFixture.Origin + "/api/auth/manager/";

    public static VaultOptions Options() => new()
    {
        Keys = [Key("k1")],
        FingerprintKeys = [Key("f1")],
        ForcedRefreshInterval = TimeSpan.Zero,
        JobInterval = TimeSpan.FromSeconds(1),
    };

    public static async Task<ProductFixture> StartAsync(ThrowawayPostgres postgres, Func<BerthEdgeOptions, BerthEdgeOptions>? more = null)
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        var database = postgres.CreateDatabase();
        var edge = await ProductFixture.StartAsync(
            o =>
            {
                var options = o with
                {
                    Database = new DatabaseOptions { ConnectionString = database },
                    Vault = Options(),
                    Connections = new Dictionary<string, ConnectionOptions>
                    {
                        ["calendar"] = new() { Provider = "127-0-0-1", Scopes = ["openid", "offline_access", "calendar"] },
                    },
                };
                return more?.Invoke(options) ?? options;
            },
            s => s.AddSingleton<IAccountStore>(new PostgresAccountStore(database, TimeProvider.System, NullLoggerFactory.Instance)));
        edge.Provider.OnTokenAnswer = answer => answer["refresh_token"] = $"rt-{Guid.NewGuid():n}";
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!edge.Get<VaultService>().IsStarted)
        {
            await Task.Delay(10, limit.Token);
        }

        return edge;
    }

    /// <summary>Asks for consent, gives it, and comes back.</summary>
    public static async Task<(HttpStatusCode Status, JsonObject Body)> ConsentAsync(
        Browser browser, Func<string, string>? url = null, Browser? returning = null, string query = "")
    {
        using var begun = await browser.GetAsync(Manager + "offline-token" + query);
        var body = await JsonAsync(begun);
        if (begun.StatusCode != HttpStatusCode.OK)
        {
            return (begun.StatusCode, body);
        }

        using var provider = await browser.GetAsync((string)body["consent_url"]!);
        var back = provider.Headers.Location!.AbsoluteUri;
        using var answer = await (returning ?? browser).GetAsync(url?.Invoke(back) ?? back, ("Accept", "application/json"));
        return (answer.StatusCode, await JsonAsync(answer));
    }

    public static async Task<string> StoredAsync(Browser browser)
    {
        var (status, body) = await ConsentAsync(browser);
        Assert.Equal(HttpStatusCode.OK, status);
        return (string)body["persistent_token_id"]!;
    }

    public static async Task<JsonObject> JsonAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>A call as a script of our own page would make it.</summary>
    public static Task<HttpResponseMessage> CallAsync(this Browser browser, HttpMethod method, string path, HttpContent? content = null) =>
        browser.SendAsync(Manager + path, method, content, ("Origin", ProductFixture.Origin), ("Accept", "application/json"));

    private static VaultKeyOptions Key(string id) => new() { Id = id, Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) };
}
