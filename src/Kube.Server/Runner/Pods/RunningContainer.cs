using Kube.Server.Runner.Logs;
using Kube.Server.Runner.Probes;
using Kube.Server.Runner.Processes;

namespace Kube.Server.Runner.Pods;

/// <summary>One run of a container: its process, its log and its probes. Tells its pod by messages.</summary>
internal sealed class RunningContainer : IDisposable
{
    private readonly RunnerContext _context;
    private readonly ProcessSpec _spec;
    private readonly SpawnedProcess _process;
    private readonly Action<PodMessage> _post;
    private readonly IReadOnlyDictionary<int, int> _ports;
    private readonly CancellationTokenSource _probing = new();
    private readonly string _lastWords;
    private readonly Lock _gate = new();
    private ITimer? _kill;
    private bool _stopping;
    private TimeSpan _grace;

    /// <exception cref="SpawnException">The program could not be started.</exception>
    public RunningContainer(
        RunnerContext context, string uid, string id, ContainerShape shape, ProcessSpec spec, IReadOnlyDictionary<int, int> ports,
            string lastWords, Action<PodMessage> post)
    {
        _lastWords = lastWords;
        _context = context;
        _spec = spec;
        _post = post;
        _ports = ports;
        Shape = shape;
        Id = id;
        Log = new ContainerLog(Path.Combine(context.LogFolder(uid, shape.Name), Id + ".log"), context.Time, context.Options.LogBytes);
        try
        {
            _process = context.Processes.Start(spec, Id);
        }
        catch (SpawnException error)
        {
            // What could not be started says so where its own words would stand.
            Log.Note(error.Message);
            Log.Complete();
            throw;
        }

        Exited = WatchAsync();
    }

    public ContainerShape Shape { get; }

    public string Id { get; }

    public int Pid => _process.Pid;

    public ContainerLog Log { get; }

    /// <summary>For commands that run beside it.</summary>
    public required Launch.MountTable Mounts { get; init; }

    /// <summary>Ends after the process, its descendants and its log.</summary>
    public Task Exited { get; }

    /// <summary>Begins startup, or else readiness and liveness probes.</summary>
    public void StartProbes()
    {
        if (Shape.Startup is { } startup)
        {
            Begin(startup);
        }
        else
        {
            StartRegularProbes();
        }
    }

    public void StartRegularProbes()
    {
        foreach (var probe in new[] { Shape.Readiness, Shape.Liveness })
        {
            if (probe is not null)
            {
                Begin(probe);
            }
        }
    }

    /// <summary>preStop, TERM, and after the grace KILL. Called again with a shorter grace it hurries.</summary>
    /// <returns>True the first time.</returns>
    public bool Stop(TimeSpan grace)
    {
        lock (_gate)
        {
            if (_stopping)
            {
                if (grace < _grace)
                {
                    _grace = grace;
                    _kill?.Change(grace, Timeout.InfiniteTimeSpan);
                }

                return false;
            }

            _stopping = true;
            _grace = grace;
            _kill = _context.Time.CreateTimer(_ => _process.KillAll(), null, grace, Timeout.InfiniteTimeSpan);
        }

        _probing.Cancel();
        _ = TerminateAsync(grace);
        return true;
    }

    /// <summary>After <see cref="Exited"/>.</summary>
    public void Dispose() => _probing.Dispose();

    private async Task TerminateAsync(TimeSpan grace)
    {
        if (Shape.PreStop.Length > 0)
        {
            using var limit = new CancellationTokenSource(grace, _context.Time);
            try
            {
                await ContainerExec.RunAsync(_context.Processes, _spec, Command(Shape.PreStop), Id, limit.Token);
            }
            catch (OperationCanceledException)
            {
                // The hook used up the grace period; the timer ends the container.
            }
        }

        _process.Signal(Libc.SigTerm);
    }

    private async Task WatchAsync()
    {
        var pumps = Task.WhenAll(Log.PumpAsync(_process.StandardOutput, "stdout"), Log.PumpAsync(_process.StandardError, "stderr"));
        var status = await _process.Exited;
        await _probing.CancelAsync();
        // Normally at the end of file already. A descendant that shed its mark could hold the pipe: it is not waited for.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), _context.Time);
        try
        {
            await pumps.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await _process.StandardOutput.DisposeAsync();
            await _process.StandardError.DisposeAsync();
        }

        Log.Complete();
        lock (_gate)
        {
            _kill?.Dispose();
        }

        _post(new PodMessage.Exited(Shape.Name, Id, status, TerminationMessage.Read(_lastWords)));
    }

    private void Begin(ProbeShape probe)
    {
        var loop = new ProbeLoop(probe, CheckAsync, _context.Time);
        _ = RunAsync();

        async Task RunAsync()
        {
            try
            {
                await loop.RunAsync(
                    (message, reached) => _post(new PodMessage.ProbeFailed(Shape.Name, Id, probe, message, reached)),
                    success => _post(new PodMessage.ProbeVerdict(Shape.Name, Id, probe.Kind, success)),
                    _probing.Token);
            }
            catch (OperationCanceledException)
            {
                // The container is ending.
            }
        }
    }

    private async Task<ProbeOutcome> CheckAsync(ProbeShape probe, CancellationToken cancellationToken)
    {
        if (probe.Exec.Length > 0)
        {
            var (code, output) = await ContainerExec.RunAsync(_context.Processes, _spec, Command(probe.Exec), Id, cancellationToken);
            return new ProbeOutcome(code == 0, output.Length > 0 ? output : $"command exited with code {code}");
        }

        if (probe.Grpc is not null)
        {
            return new ProbeOutcome(false, "grpc probes are not supported by the process runner; use httpGet, tcpSocket or exec");
        }

        var handler = probe.HttpGet ?? probe.TcpSocket;
        if (handler is null)
        {
            return new ProbeOutcome(false, "the probe has none of httpGet, tcpSocket, exec");
        }

        return ProbePorts.Resolve(handler["port"], Shape, _ports) is not { } port
            ? new ProbeOutcome(false, $"couldn't find port {handler["port"]?.ToJsonString()} in container {Shape.Name}")
            : probe.HttpGet is not null ? await _context.Network.HttpAsync(handler, port, cancellationToken)
            : await NetworkProbes.TcpAsync(handler, port, cancellationToken);
    }

    private string[] Command(IEnumerable<string> command) => [.. command.Select(Mounts.RewriteArgument)];
}
