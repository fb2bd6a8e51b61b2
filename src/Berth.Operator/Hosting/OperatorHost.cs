using Berth.Resources;
using Kube.Client;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>The whole operator without a process around it: informers, leader election, controller, events.</summary>
/// <remarks>
/// Informers run from the start, so a standby that becomes leader has its caches already. <see cref="RunAsync"/> returns when it is
/// cancelled, after the lease is given back, and throws <see cref="LeadershipLostException"/> when another one may lead.
/// </remarks>
public sealed class OperatorHost : IDisposable
{
    // Installing Traefik later is rare, and a minute is soon enough; asking costs one small request.
    private static readonly TimeSpan TraefikInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan DiscoveryRetry = TimeSpan.FromSeconds(2);

    // A watch that was lost is back within 30 s; twice that is trouble that should be seen.
    private static readonly TimeSpan WatchTolerance = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LeaseTolerance = TimeSpan.FromSeconds(20);

    private readonly OperatorOptions _options;
    private readonly BlueprintSettings _settings;
    private readonly IKubeClient _client;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly InformerFactory _informers;
    private readonly PolicySource _policy;
    private readonly WorkspaceCaches _caches;
    private readonly OperatorMetrics _metrics;
    private readonly StateMetrics _state;
    private readonly EventRecorder _events;
    private readonly LeaderElector? _elector;

    /// <summary>Checks the options and makes an operator; nothing is sent before <see cref="RunAsync"/>.</summary>
    /// <param name="options">Its options.</param>
    /// <param name="client">The cluster it works on.</param>
    /// <param name="ownNamespace">Namespace it is in itself, for its lease and as the default for the edge's; null: <c>default</c>.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <exception cref="OperatorConfigurationException">The options cannot be used; the message names all problems.</exception>
    public OperatorHost(OperatorOptions options, IKubeClient client, string? ownNamespace, TimeProvider time, ILoggerFactory loggers)
        : this(options, OptionsChecker.Check(options, ownNamespace ?? "default"), client, ownNamespace ?? "default", time, loggers)
    {
    }

    internal OperatorHost(
        OperatorOptions options, BlueprintSettings settings, IKubeClient client, string ownNamespace, TimeProvider time,
            ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        _options = options;
        _settings = settings;
        _client = client;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<OperatorHost>();
        _informers = new InformerFactory(client, time, loggers);
        _events = new EventRecorder(client, WorkspaceReconciler.FieldManager, time, loggers.CreateLogger<EventRecorder>());
        _policy = new PolicySource(
            client, _informers, options.PolicyName, options.Policy, _events, time, loggers.CreateLogger<PolicySource>());
        _caches = new WorkspaceCaches(_informers, options.Namespace.Length == 0 ? null : options.Namespace,
            settings.Edge.Namespace, () => _policy.Current, settings.Backup.Mode != BackupMode.Off);
        _metrics = new OperatorMetrics(_caches.Workspaces.Store.List);
        _state = new StateMetrics(() => IsLeading, _caches.Workspaces.Store.List, () => _policy.Current, time);
        if (options.LeaderElection.Enabled)
        {
            var election = new LeaderElectionOptions
            {
                Namespace = options.LeaderElection.Namespace.Length > 0 ? options.LeaderElection.Namespace : ownNamespace,
                Name = options.LeaderElection.Lease,
            };
            _elector = new LeaderElector(
                client,
                options.LeaderElection.Identity.Length > 0 ? election with { Identity = options.LeaderElection.Identity } : election,
                time,
                loggers.CreateLogger<LeaderElector>());
        }
    }

    /// <summary>Names of the meters to export.</summary>
    public static IReadOnlyList<string> Meters { get; } = [OperatorMetrics.MeterName, "Kube.Runtime"];

    /// <summary>False when the process should be started anew: it believes to lead and cannot renew.</summary>
    public bool IsLive => _elector?.IsHealthy(LeaseTolerance) != false;

    /// <summary>Why it is not ready, in words; null when it is: the caches hold everything, and follow the cluster.</summary>
    public string? NotReady => !IsSynced ? "the first picture of the cluster is not complete"
        : Watched.FirstOrDefault(i => i.BrokenFor > WatchTolerance) is { } broken
            ? $"watching {broken.Descriptor.Plural} has failed for {broken.BrokenFor.TotalSeconds:0} s: what is known of them is old"
            : null;

    /// <summary>True once the caches hold everything and while they follow the cluster: it can work, or take over.</summary>
    public bool IsReady => NotReady is null;

    private IInformer[] Watched =>
        [_caches.Workspaces, _caches.Templates, _caches.Pods, _caches.Volumes, _caches.Services, _caches.NetworkPolicies];

    private bool IsSynced => _caches.Workspaces.HasSynced && _caches.Templates.HasSynced && _caches.Pods.HasSynced
        && _caches.Volumes.HasSynced
        && _caches.Services.HasSynced && _caches.NetworkPolicies.HasSynced && _caches.Pools.HasSynced;

    /// <summary>Whether it works now, rather than standing by.</summary>
    public bool IsLeading { get; private set; }

    /// <summary>Works, or stands by, until cancelled. May be called once.</summary>
    /// <exception cref="LeadershipLostException">The lease was lost: end the process and let it be started anew.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        OperatorLog.Starting(_logger, _options.Namespace.Length == 0 ? "(all)" : _options.Namespace, _settings.Urls.Url("*"),
            _settings.Routing);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var informers = _informers.RunAsync(stop.Token);
        var events = _events.RunAsync(stop.Token);
        var policy = _policy.RunAsync(stop.Token);
        try
        {
            if (_elector is null)
            {
                await LeadAsync(stop.Token);
            }
            else
            {
                await _elector.RunAsync(leadership => LeadAsync(leadership.Token), stop.Token);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(informers, events, policy);
            OperatorLog.Stopped(_logger);
        }
    }

    /// <summary>Takes it out of the metrics; cancel <see cref="RunAsync"/> first.</summary>
    public void Dispose()
    {
        _informers.Dispose();
        _metrics.Dispose();
        _state.Dispose();
    }

    private async Task LeadAsync(CancellationToken cancellationToken)
    {
        IsLeading = true;
        try
        {
            // Whether Traefik's kinds are served decides which informers there are: when that changes, the controller is built anew.
            var served = await TraefikServedAsync(cancellationToken);
            while (!cancellationToken.IsCancellationRequested)
            {
                using var term = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var watching = WatchTraefikAsync(served, term);
                try
                {
                    await ControlAsync(served, term.Token);
                }
                finally
                {
                    await term.CancelAsync();
                    served = await watching;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
        finally
        {
            IsLeading = false;
        }
    }

    private async Task ControlAsync(bool traefik, CancellationToken cancellationToken)
    {
        OperatorLog.Traefik(_logger, traefik);
        using var controllers = new OperatorControllers(
            _client, _caches, _policy, _settings, _events, _metrics, _options.Workers, _time, _loggers, traefik);
        OperatorLog.Leading(_logger, _caches.Workspaces.Store.Count, _caches.Templates.Store.Count);
        var sweeper = new Sweeper(_client, _caches, _options.Sweeper, _events, _metrics, _time, _loggers.CreateLogger<Sweeper>());
        using var term = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sweeping = sweeper.RunAsync(term.Token);
        try
        {
            await controllers.RunAsync(cancellationToken);
        }
        finally
        {
            await term.CancelAsync();
            await sweeping;
        }
    }

    /// <summary>Ends the term when the answer changes; returns the last answer.</summary>
    private async Task<bool> WatchTraefikAsync(bool served, CancellationTokenSource term)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TraefikInterval, _time, term.Token);
                var now = await TraefikServedAsync(term.Token);
                if (now != served)
                {
                    await term.CancelAsync();
                    return now;
                }
            }
        }
        catch (OperationCanceledException) when (term.IsCancellationRequested)
        {
            return served;
        }
    }

    private async Task<bool> TraefikServedAsync(CancellationToken cancellationToken)
    {
        if (_settings.Routing == RoutingMode.None)
        {
            return false;
        }

        while (true)
        {
            try
            {
                return await _client.IsServedAsync(IngressRoute.Descriptor, cancellationToken)
                    && await _client.IsServedAsync(Middleware.Descriptor, cancellationToken);
            }
            catch (KubeException e)
            {
                OperatorLog.DiscoveryFailed(_logger, e.Message);
                await Task.Delay(e.RetryAfter ?? DiscoveryRetry, _time, cancellationToken);
            }
        }
    }
}
