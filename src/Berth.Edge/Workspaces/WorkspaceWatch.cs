using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Edge;

/// <summary>
/// What this replica knows of the namespace: one watch each of workspaces, templates and endpoints. Feeds the <see cref="WorkspaceTable"/>
/// and answers questions from memory.
/// </summary>
internal sealed partial class WorkspaceWatch : IHostedService, IDisposable
{
    private const string OwnerIndex = "owner";
    private const string PodIndex = "pod";

    private readonly SharedInformer<UserWorkspace> _workspaces;
    private readonly SharedInformer<WorkspaceTemplate> _templates;
    private readonly SharedInformer<Endpoints> _endpoints;
    private readonly WorkspaceTable _table;
    private readonly IOpenConnections? _connections;
    private readonly WorkspaceUrls _urls;
    private readonly TargetResolution _targets;
    private readonly bool _ownerOnly;
    private readonly WorkspaceOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public WorkspaceWatch(
        IKubeClient client,
        WorkspaceTable table,
        EdgeOptions edge,
        WorkspaceOptions options,
        TimeProvider clock,
        ILoggerFactory loggers,
        IOpenConnections? connections = null)
    {
        var watcher = new WatcherOptions { Namespace = options.Namespace };
        _options = options;
        _clock = clock;
        _logger = loggers.CreateLogger<WorkspaceWatch>();
        _table = table;
        _connections = connections;
        _targets = edge.Proxy.Targets;
        _urls = edge.ToUrls();
        _ownerOnly = edge.PathPrefix is { Enabled: true, AllowOthers: false };
        _workspaces = new SharedInformer<UserWorkspace>(
            client,
            new InformerOptions<UserWorkspace>
            {
                Watcher = watcher,
                Indexers = new Dictionary<string, Func<UserWorkspace, IEnumerable<string>>>
                {
                    [OwnerIndex] = w => [OwnerKey(w.Spec.Owner.Issuer, w.Spec.Owner.Subject)],
                },
            },
            clock,
            loggers);
        _templates = new SharedInformer<WorkspaceTemplate>(client, new InformerOptions<WorkspaceTemplate> { Watcher = watcher }, clock,
            loggers);
        _endpoints = new SharedInformer<Endpoints>(
            client,
            new InformerOptions<Endpoints>
            {
                Watcher = watcher,
                Indexers = new Dictionary<string, Func<Endpoints, IEnumerable<string>>> { [PodIndex] = PodUids },
            },
            clock,
            loggers);
        _workspaces.AddHandler(e => Refresh(e.Resource.Metadata.Name));
        _endpoints.AddHandler(e => Refresh(e.Resource.Metadata.Name));
    }

    /// <summary>Whether all three pictures are complete; requests before that would look like "no such workspace".</summary>
    public bool IsSynced => _workspaces.HasSynced && _templates.HasSynced && _endpoints.HasSynced;

    /// <summary>Waits for <see cref="IsSynced"/>.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.WhenAll(
        _workspaces.WaitForSyncAsync(cancellationToken), _templates.WaitForSyncAsync(cancellationToken),
            _endpoints.WaitForSyncAsync(cancellationToken));

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(
            Task.Run(() => _workspaces.RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => _templates.RunAsync(_stop.Token), CancellationToken.None),
            Task.Run(() => _endpoints.RunAsync(_stop.Token), CancellationToken.None));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _workspaces.Dispose();
        _templates.Dispose();
        _endpoints.Dispose();
        _stop.Dispose();
    }

    /// <summary>The workspace as last seen; null when there is none.</summary>
    public UserWorkspace? Find(string name) => _workspaces.Store.Get(new ResourceKey(_options.Namespace, name));

    /// <summary>The workspace that a pod runs for now, ready or not; null when it runs for none.</summary>
    /// <param name="uid">The pod itself.</param>
    /// <param name="name">Its name: the workspace's own, or the one in its status when the pod came from a pool.</param>
    public UserWorkspace? FindByPod(string uid, string name) =>
        _endpoints.Store.ByIndex(PodIndex, uid) is [{ Metadata.Name: { } service }] && Find(service) is { } workspace
            && (name == workspace.Metadata.Name || name == workspace.Status?.PodName)
            ? workspace
            : null;

    /// <summary>A person's workspaces: the default one first, then by name.</summary>
    public IReadOnlyList<UserWorkspace> OwnedBy(string issuer, string subject) =>
    [
        .. _workspaces.Store.ByIndex(OwnerIndex, OwnerKey(issuer, subject)).OrderBy(w => w.Metadata.Name, StringComparer.Ordinal),
    ];

    /// <summary>All workspaces by name, for administrators.</summary>
    public IReadOnlyList<UserWorkspace> All() => [.. _workspaces.Store.List().OrderBy(w => w.Metadata.Name, StringComparer.Ordinal)];

    /// <summary>Templates that people can take, by name: those that are not retired.</summary>
    public IReadOnlyList<WorkspaceTemplate> Templates() =>
        [.. _templates.Store.List().Where(t => t.Spec.Retired is null).OrderBy(t => t.Metadata.Name, StringComparer.Ordinal)];

    /// <summary>One template; null when there is none.</summary>
    public WorkspaceTemplate? Template(string name) => _templates.Store.Get(new ResourceKey(_options.Namespace, name));

    /// <summary>The template in effect: a retired one may have sent the workspace on to its successor; null when there is none.</summary>
    public WorkspaceTemplate? TemplateOf(UserWorkspace workspace) => Template(WorkspaceEntries.TemplateNameOf(workspace));

    /// <summary>When the watch of workspaces last brought something; null while it is cut off, or its picture is not complete.</summary>
    public DateTimeOffset? LastContact => IsSynced ? _workspaces.LastContact : null;

    /// <summary>Has a handler called for each change of a workspace, in order.</summary>
    public void OnWorkspace(Action<InformerEvent<UserWorkspace>> handler) => _workspaces.AddHandler(handler);

    /// <summary>
    /// Waits until this replica has seen its own write, so that the page a person is sent to shows what they did. Gives up quietly: the
    /// write holds either way, and the page follows by itself.
    /// </summary>
    /// <param name="name">The workspace.</param>
    /// <param name="seen">What the store holds once the write has arrived; null for an object that is gone.</param>
    /// <param name="cancellationToken">The request's.</param>
    public async Task WaitUntilSeenAsync(string name, Func<UserWorkspace?, bool> seen, CancellationToken cancellationToken)
    {
        using var subscription = _table.Subscribe(n => n == name);
        var start = _clock.GetTimestamp();

        // Watches deliver within milliseconds; two seconds is a watch that is being reopened.
        var limit = TimeSpan.FromSeconds(2);
        while (!seen(Find(name)))
        {
            var left = limit - _clock.GetElapsedTime(start);
            if (left <= TimeSpan.Zero || (!await subscription.WaitAsync(left, _clock, cancellationToken).ConfigureAwait(false) && !seen(
                Find(name))))
            {
                LogNotSeen(name);
                return;
            }
        }
    }

    /// <summary>Whether the store is at least at a version; versions of one API server's storage grow (KEP-5504).</summary>
    public static bool IsAtLeast(UserWorkspace? seen, UserWorkspace written) => seen is not null
        && (seen.Metadata.ResourceVersion == written.Metadata.ResourceVersion
            || (ulong.TryParse(seen.Metadata.ResourceVersion, out var a) && ulong.TryParse(written.Metadata.ResourceVersion, out var b)
                && a >= b));

    private static IEnumerable<string> PodUids(Endpoints endpoints) => (endpoints.Subsets ?? [])
        .SelectMany(s => (s.Addresses ?? []).Concat(s.NotReadyAddresses ?? []))
        .Select(a => a.TargetRef).Where(t => t is { Kind: "Pod", Uid.Length: > 0 }).Select(t => t!.Uid!).Distinct();

    private static string OwnerKey(string issuer, string subject) => $"{issuer}\0{subject}";

    // Two informers call this, each from its own pump: both read the stores, which have changed already, so the later call writes the later
    // truth.
    private readonly Lock _refreshing = new();

    private void Refresh(string? name)
    {
        if (!WorkspaceNames.IsValid(name))
        {
            return;
        }

        lock (_refreshing)
        {
            var workspace = Find(name);
            var entry = workspace is null
                ? null
                : WorkspaceEntries.From(workspace, _endpoints.Store.Get(new ResourceKey(_options.Namespace, name)), _urls, _targets)
                    is { } made ? made with { IsOwnerOnly = _ownerOnly } : null;
            if (entry is null)
            {
                if (_table.Remove(_urls.Host(name)) is { } gone)
                {
                    _connections?.CutWorkspace(gone.Namespace, gone.Name);
                }
            }
            else
            {
                var before = _table.Put(entry);
                if (before is { IsReady: true } && !entry.IsReady && workspace!.Spec.DesiredState != DesiredStates.Running)
                {
                    _connections?.CutWorkspace(entry.Namespace, entry.Name);
                }
                else if (before is not null && (!before.Shares.SequenceEqual(entry.Shares)
                    || before.OwnerIssuer != entry.OwnerIssuer || before.OwnerSubject != entry.OwnerSubject))
                {
                    _connections?.Review(entry);
                }
            }
        }

        _table.Announce(name);
    }

    [LoggerMessage(5101, LogLevel.Warning,
        "The write to workspace {Name} has not come back by the watch within 2 s; pages may lag behind.")]
    private partial void LogNotSeen(string name);
}
