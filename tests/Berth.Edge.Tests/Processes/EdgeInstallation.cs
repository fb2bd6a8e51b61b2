using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Edge.Tests.Cluster;
using Berth.Edge.Tests.VaultProxy;
using Berth.Resources;
using Npgsql;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>
/// What replicas of one installation share: a Kubernetes API, a PostgreSQL database, keys, a provider people sign in with, and for the
/// connection <c>calendar</c> somebody else's provider and an API that answers with whose token it was called.
/// </summary>
internal sealed class EdgeInstallation : IAsyncDisposable
{
    public const string TokenManager = "/api/auth/manager/";

    /// <summary>Whose token the API of the connection was called with: <c>{"sub": …}</c>.</summary>
    public const string Call = "/proxy/calendar/me";

    private readonly ClusterFixture _cluster;
    private readonly ProfileApi _api;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-edges-");
    private readonly ConcurrentBag<EdgeProcess> _edges = [];
    private readonly (string Vault, string Fingerprint) _keys = (NewKey(), NewKey());

    private EdgeInstallation(ClusterFixture cluster, ProfileApi api, ForeignProvider calendar, string database)
    {
        _cluster = cluster;
        _api = api;
        Calendar = calendar;
        Database = database;
        Source = NpgsqlDataSource.Create(database);
    }

    /// <summary>The provider of the connection.</summary>
    public ForeignProvider Calendar { get; }

    /// <summary>Connection string of the database.</summary>
    public string Database { get; }

    /// <summary>The database, for what no call of the edge does.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>The provider people sign in with.</summary>
    public FakeProvider SignIn => _cluster.Provider;

    public static async Task<EdgeInstallation> CreateAsync(ThrowawayPostgres postgres)
    {
        Skip.If(postgres.SkipReason is not null, postgres.SkipReason);
        return await CreateAsync(postgres.CreateDatabase());
    }

    /// <param name="database">Connection string of an empty database.</param>
    public static async Task<EdgeInstallation> CreateAsync(string database)
    {
        var calendar = await ForeignProvider.StartAsync();
        Skip.If(calendar is null, ForeignProvider.SkipReason);
        return new EdgeInstallation(await ClusterFixture.StartAsync(), await ProfileApi.StartAsync(calendar!.Issuer), calendar, database);
    }

    /// <summary>One more replica.</summary>
    public Task<EdgeProcess> NewEdgeAsync(params (string Name, string Value)[] environment) => NewEdgeAsync(null, environment);

    /// <summary>One more replica, which need not become ready.</summary>
    public Task<EdgeProcess> NewEdgeThatNeedNotBeReadyAsync(params (string Name, string Value)[] environment) =>
        NewEdgeAsync(null, environment, mustBeReady: false);

    /// <summary>The Kubernetes API goes away and does not come back.</summary>
    public Task StopApiAsync() => _cluster.StopApiAsync();

    /// <summary>One more replica, of another version.</summary>
    public Task<EdgeProcess> NewEdgeAsync(string program) => NewEdgeAsync(program, []);

    /// <summary>An access token for the edge itself.</summary>
    public string TokenOf(string person)
    {
        SignIn.Subject = person;
        return SignIn.Sign(SignIn.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");
    }

    /// <summary>Consents at the connection's provider and gives the refresh token to the vault.</summary>
    public async Task<Guid> ConnectAsync(HttpClient client, string person)
    {
        using var answer = await client.PostAsJsonAsync(
            TokenManager + "offline-token-id",
            new { connection = "calendar", refresh_token = (await Calendar.ConsentAsync(person)).RefreshToken });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (Guid)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["persistent_token_id"]!;
    }

    /// <summary>Has a person's default workspace run at a port of this machine, as an operator would.</summary>
    /// <returns>Its host.</returns>
    public async Task<string> RunWorkspaceAsync(EdgeProcess edge, string owner, int port)
    {
        using var client = edge.Client(TokenOf(owner));
        using (var created = await client.PostAsync("/api/workspaces", null))
        {
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        }

        var name = WorkspaceNames.ForOwner(SignIn.Issuer, owner);
        await _cluster.SetStatusAsync(name, w => new UserWorkspaceStatus
        {
            Phase = WorkspacePhases.Running,
            ObservedGeneration = w.Metadata.Generation,
        });
        await _cluster.AddressAsync(name, port);
        return $"{name}.localhost";
    }

    /// <summary>Shares an owner's default workspace with one person, or with nobody.</summary>
    public async Task ShareAsync(string owner, string? with)
    {
        var now = (await _cluster.FindAsync(WorkspaceNames.ForOwner(SignIn.Issuer, owner)))!;
        WorkspaceSharing[] sharing = with is null ? [] : [new WorkspaceSharing { Subject = with, Role = "use" }];
        await _cluster.Client.ReplaceAsync(now with { Spec = now.Spec with { Sharing = sharing } }, null, default);
    }

    /// <summary>Signs a person in with a browser.</summary>
    public async Task SignInAsync(Browser browser, string person)
    {
        SignIn.Subject = person;
        using var answer = await browser.FollowAsync($"{ProductFixture.Origin}/login?return=%2Ftos");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var edge in _edges)
        {
            await edge.DisposeAsync();
        }

        await Source.DisposeAsync();
        await _api.DisposeAsync();
        await Calendar.DisposeAsync();
        await _cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<EdgeProcess> NewEdgeAsync(string? program, (string Name, string Value)[] environment, bool mustBeReady = true)
    {
        var kubeconfig = Path.Combine(_folder.FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, _cluster.Kubeconfig);
        var edge = await EdgeProcess.StartAsync(
            (port, management) => Configuration(port, management, withVault: program is null), kubeconfig, environment, program, mustBeReady);
        _edges.Add(edge);
        return edge;
    }

    private static string NewKey() => Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    // An option that a version does not know keeps it from starting.
    private string Configuration(int port, int management, bool withVault)
    {
        var options = JsonSerializer.SerializeToNode(All(port, management))!.AsObject();
        if (!withVault)
        {
            var edge = options["Berth"]!["Edge"]!.AsObject();
            edge.Remove("Vault");
            edge.Remove("Connections");
        }

        return options.ToJsonString();
    }

    private object All(int port, int management) => new
    {
        Berth = new
        {
            Edge = new
            {
                PublicOrigin = ProductFixture.Origin,
                WorkspaceDomain = "localhost",
                Issuers = new[]
                {
                    new { SignIn.Issuer, FakeProvider.ClientId, FakeProvider.ClientSecret, EdgeFixture.Audience },
                },
                Session = new { Keys = new[] { ClusterFixture.CookieKey } },
                Identity = new { GenerateKey = true },
                Listener = new { Address = "127.0.0.1", Port = port },
                Management = new { Port = management },
                Database = new { ConnectionString = Database },
                Workspaces = new { ProductFixture.Namespace },
                Vault = new
                {
                    Keys = new[] { new { Id = "k1", Key = _keys.Vault } },
                    FingerprintKeys = new[] { new { Id = "f1", Key = _keys.Fingerprint } },
                    ForcedRefreshInterval = TimeSpan.Zero,
                },
                Connections = new
                {
                    calendar = new
                    {
                        Calendar.Issuer,
                        ForeignProvider.ClientId,
                        ClientSecret = ForeignProvider.Secret,
                        Upstream = new
                        {
                            BaseAddress = _api.Origin,
                            AllowedPaths = new[] { "/**" },
                            AllowSessionCookie = true,
                            RateLimit = new { Requests = 100_000, Concurrent = 500 },
                        },
                    },
                },
            },
        },
    };
}
