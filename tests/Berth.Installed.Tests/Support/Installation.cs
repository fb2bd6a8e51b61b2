using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Testing;

namespace Berth.Installed.Tests;

/// <summary>Tests that share one installation, one after another.</summary>
[CollectionDefinition(nameof(Installation), DisableParallelization = true)]
public sealed class OneInstallation : ICollectionFixture<Installation>;

/// <summary>
/// The chart with values-dev on the cluster that BERTH_TEST_KUBECONFIG names, from the first test that needs it to the last. With
/// BERTH_TEST_INSTALL=keep it stays, and the next run finds it.
/// </summary>
public sealed class Installation : IAsyncDisposable, IAsyncLifetime
{
    /// <summary>What people type (<c>values-dev.yaml</c>).</summary>
    internal const string Origin = "http://localhost:30080";

    /// <summary>Workspaces are one label below it.</summary>
    internal const string Domain = "localhost:30080";

    /// <summary>Where workspaces are before anything is known.</summary>
    private const string DevWorkspaces = "berth-workspaces";

    // The images' tags stay, whatever is in them: Jobs of another run say nothing.
    private static readonly string Revision = Guid.NewGuid().ToString("N")[..8];

    private readonly List<Person> _people = [];
    private Provider? _provider;
    private bool _isThere;
    private IPEndPoint? _service;

    internal Release Release { get; } = new();

    /// <summary>When the installation began.</summary>
    internal DateTimeOffset Since { get; private set; }

    internal string Namespace => Release.Rendering.Namespace;

    /// <summary>Where workspaces are.</summary>
    internal string Workspaces { get; private set; } = "";

    /// <summary>Names of what the chart made.</summary>
    internal string Edge => Only("Deployment", "edge");

    internal string Operator => Only("Deployment", "operator");

    internal string Database => Only("StatefulSet", "");

    /// <summary>The database's name in the installation that was removed.</summary>
    internal string LastDatabase { get; private set; } = "";

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Installs, unless it is there.</summary>
    internal async Task StartAsync(string? chart = null)
    {
        Given.Installation();
        if (_isThere)
        {
            return;
        }

        Since = TimeProvider.System.GetUtcNow();
        _provider ??= await Provider.StartAsync(Origin);
        await HostPathVolumes.OpenAsync();
        await Release.InstallAsync(await RenderingAsync(chart));
        await FindAsync();
        _isThere = true;
    }

    /// <summary>Another version of the chart in its place.</summary>
    internal async Task UpgradeAsync(string? chart = null)
    {
        await Release.UpgradeAsync(await RenderingAsync(chart));
        await FindAsync();
    }

    /// <summary>As <c>helm uninstall</c> does: what is to be kept stays.</summary>
    internal async Task UninstallAsync()
    {
        LastDatabase = Database;
        await Release.UninstallAsync();
        _isThere = false;
    }

    /// <summary>Removes all of it, volumes and keys too.</summary>
    internal async Task RemoveAsync()
    {
        // While the operator is there: it sees to what a workspace leaves behind.
        await Shell.TryKubectlAsync(null, "-n", DevWorkspaces, "delete", "uws", "--all", "--ignore-not-found", "--timeout=60s");
        await Release.UninstallAsync();
        await Release.WipeAsync(DevWorkspaces);
        _isThere = false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_provider is not null && !Given.IsKept)
        {
            await RemoveAsync();
            await HostPathVolumes.CloseAsync();
        }

        if (_provider is not null)
        {
            await _provider.DisposeAsync();
        }
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    /// <summary>A connection to the edge for names of ours, to the provider for its own.</summary>
    internal SocketsHttpHandler NewHandler() => new()
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                var provider = new IPEndPoint(IPAddress.Loopback, Provider.Port);
                await socket.ConnectAsync(context.DnsEndPoint.Host == Provider.Host ? provider : _service!, cancellationToken);
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    /// <summary>Somebody who has not signed in.</summary>
    internal Person NewVisitor(string subject) => new(this, subject);

    /// <summary>Somebody who has.</summary>
    internal async Task<Person> NewPersonAsync(string subject)
    {
        var person = NewVisitor(subject);
        await person.SignInAsync();
        _people.Add(person);
        return person;
    }

    internal async Task ScaleEdgeAsync(int replicas)
    {
        // An autoscaler would have its own idea.
        await Shell.KubectlAsync("-n", Namespace, "scale", "deployment/" + Edge, $"--replicas={replicas}");
        await Shell.KubectlAsync("-n", Namespace, "rollout", "status", "deployment/" + Edge, "--timeout=300s");
    }

    /// <summary>The pods of a Deployment, those that are ending too.</summary>
    internal async Task<IReadOnlyList<string>> PodsAsync(string deployment)
    {
        var found = await JsonAsync("-n", Namespace, "get", "deployment", deployment);
        var labels = found!["spec"]!["selector"]!["matchLabels"]!.AsObject().Select(l => $"{l.Key}={l.Value}");
        var pods = await JsonAsync("-n", Namespace, "get", "pods", "-l", string.Join(',', labels));
        return [.. pods!["items"]!.AsArray().Select(p => (string)p!["metadata"]!["name"]!)];
    }

    /// <summary>The pod of the operator that works.</summary>
    internal async Task<string> LeaderAsync()
    {
        var leases = await JsonAsync("-n", Namespace, "get", "leases");
        var holders = leases!["items"]!.AsArray().Select(l => (string?)l!["spec"]?["holderIdentity"] ?? "").ToList();
        return (await PodsAsync(Operator)).Single(p => holders.Exists(h => h.StartsWith(p, StringComparison.Ordinal)));
    }

    internal async Task<JsonNode?> WorkspaceAsync(Person person) =>
        await JsonAsync("-n", Workspaces, "get", "uws", person.Workspace, "--ignore-not-found");

    internal async Task<IReadOnlyList<string>> WorkspacePodsAsync(Person person)
    {
        var pods = await JsonAsync("-n", Workspaces, "get", "pods", "-l", "berth.dev/workspace=" + person.Workspace);
        return [.. pods!["items"]!.AsArray().Select(p => (string)p!["metadata"]!["uid"]!)];
    }

    /// <summary>Uids of the volumes of somebody's workspace.</summary>
    internal async Task<IReadOnlyList<string>> ClaimsAsync(Person person)
    {
        var claims = await JsonAsync("-n", Workspaces, "get", "pvc", "-l", "berth.dev/workspace=" + person.Workspace);
        return [.. claims!["items"]!.AsArray().Select(c => (string)c!["metadata"]!["uid"]!)];
    }

    internal Task DeleteWorkspaceAsync(Person person) =>
        Shell.KubectlAsync("-n", Workspaces, "delete", "uws", person.Workspace, "--ignore-not-found", "--timeout=120s");

    /// <summary>A person's default workspace with room for many terminals, as an administrator would make it.</summary>
    internal async Task CreateForManyTerminalsAsync(Person person, int terminals)
    {
        var template = (await JsonAsync("-n", Workspaces, "get", "wst", "studio"))!;
        template["metadata"] = new JsonObject { ["name"] = "many-terminals", ["namespace"] = Workspaces };
        template["spec"]!["env"] = new JsonArray(
            new JsonObject { ["name"] = "STUDIO_MAX_TERMINALS", ["value"] = $"{terminals + 10}" });
        template["spec"]!["resources"] = JsonNode.Parse("""{"requests":{"cpu":"100m","memory":"256Mi"},"limits":{"memory":"3Gi"}}""");
        var workspace = new JsonObject
        {
            ["apiVersion"] = "berth.dev/v1alpha1",
            ["kind"] = "UserWorkspace",
            ["metadata"] = new JsonObject { ["name"] = person.Workspace, ["namespace"] = Workspaces },
            ["spec"] = new JsonObject
            {
                ["owner"] = new JsonObject { ["issuer"] = Provider.Issuer, ["subject"] = person.Subject },
                ["template"] = new JsonObject { ["name"] = "many-terminals" },
                ["desiredState"] = "Running",
            },
        };
        foreach (var made in new[] { template, workspace })
        {
            (await Shell.TryKubectlAsync(
                made.ToJsonString(), "apply", "--server-side", "--validate=false", "-f", "-")).Good("kubectl apply");
        }
    }

    internal static async Task<JsonNode?> JsonAsync(params string[] arguments) =>
        await Shell.KubectlAsync([.. arguments, "-o", "json"]) is { Length: > 0 } text ? JsonNode.Parse(text) : null;

    internal static async Task<Rendering> RenderingAsync(string? chart = null)
    {
        return new Rendering
        {
            Chart = chart ?? Given.Chart,
            Files = ["values-dev.yaml"],
            KubeVersion = await VersionAsync(),
            Apis = ["traefik.io/v1alpha1"],

            // Traefik's objects too, where its definitions are: nobody has to route by them.
            Values = JsonNode.Parse($$"""
                {
                  "jobs": { "revision": "{{Revision}}" },
                  "workspaces": { "routing": "ForwardAuth", "backup": { "claim": "berth-backups" } },
                  "traefik": { "enabled": true, "entryPoints": ["web"] },
                  "trustedProxies": ["10.255.0.0/16"]
                }
                """)!.AsObject(),
        };
    }

    /// <summary>The cluster's version, as charts are told it.</summary>
    internal static async Task<string> VersionAsync() =>
        ((string)JsonNode.Parse(await Shell.KubectlAsync("get", "--raw", "/version"))!["gitVersion"]!).TrimStart('v').Split('+', '-')[0];

    private string Only(string kind, string end) =>
        Release.Manifests.Single(m => m.Kind == kind && m.Name.EndsWith(end, StringComparison.Ordinal)).Name;

    private async Task FindAsync()
    {
        Workspaces = Release.Manifests.First(m => m.Kind == "WorkspaceTemplate").Namespace ?? Namespace;
        var service = (await JsonAsync("-n", Namespace, "get", "service", Edge))!["spec"]!;
        var port = service["ports"]!.AsArray().Single(p => (string?)p!["name"] == "http")!;
        _service = new IPEndPoint(IPAddress.Parse((string)service["clusterIP"]!), (int)port["port"]!);
    }
}
