using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Edge.Tests.Activity;

/// <summary>The parts that know and write use, on an API in memory and a clock that stands still; a test makes the heart beat.</summary>
internal sealed class ActivityBench : IAsyncDisposable
{
    public const string Name = "ws-one";

    private readonly EdgeMetrics _metrics = new();
    private readonly ForwardingClient _http;

    private ActivityBench(FakeKube kube, FakeTimeProvider clock)
    {
        (Kube, Clock) = (kube, clock);
        var edge = EdgeFixture.Options("https://id.example.test");
        var options = new WorkspaceOptions { Namespace = ProductFixture.Namespace };
        var directory = new WorkspaceTable();
        Watch = new WorkspaceWatch(kube, directory, edge, options, clock, NullLoggerFactory.Instance);
        Policy = new PolicyReader(kube, options, clock, NullLogger<PolicyReader>.Instance);
        Writer = new ActivityWriter(kube, Watch, Table, Policy, options, _metrics, clock, NullLogger<ActivityWriter>.Instance);
        Lease = new ActivityLease(kube, options, clock);
        var settings = EdgeSettingsParser.Parse(edge);
        _http = new ForwardingClient(settings, new Circuits(settings, clock));
        var probe = new ApplicationProbe(
            _http, directory, new WorkspaceUrls(new Uri(edge.PublicOrigin), edge.WorkspaceDomain), _metrics, clock,
            NullLogger<ApplicationProbe>.Instance);
        Service = new ActivityService(Table, Writer, Lease, probe, Policy, Watch, clock, NullLogger<ActivityService>.Instance);
    }

    public FakeKube Kube { get; }

    public FakeTimeProvider Clock { get; }

    public ActivityTable Table { get; } = new();

    public WorkspaceWatch Watch { get; }

    public PolicyReader Policy { get; }

    public ActivityWriter Writer { get; }

    public ActivityLease Lease { get; }

    public ActivityService Service { get; }

    public WorkspaceActivity? Written => Kube.Find<UserWorkspace>(Name)!.Status?.Activity;

    public Lease? Renewed => Kube.Find<Lease>(Lease.Name);

    public string? WrittenUntil => Renewed?.Metadata.Annotations?.GetValueOrDefault(EdgeLeases.ActivityWrittenUntil);

    /// <summary>Starts the watch; the service starts when a test wants it to.</summary>
    public static async Task<ActivityBench> StartAsync(TemplateActivity? activity = null, FakeKube? kube = null)
    {
        kube ??= new FakeKube();
        var template = ProductFixture.Template();
        kube.Put(template with { Spec = template.Spec with { Activity = activity } });
        kube.Put(Workspace());
        var bench = new ActivityBench(kube, new FakeTimeProvider());
        await bench.Watch.StartAsync(default);
        await bench.Watch.WaitForSyncAsync(default);
        return bench;
    }

    public static UserWorkspace Workspace() => new()
    {
        Metadata = new ObjectMeta { Name = Name, Namespace = ProductFixture.Namespace, Uid = "1" },
        Spec = new UserWorkspaceSpec
        {
            Owner = new WorkspaceOwner { Issuer = "https://id.example.test", Subject = "user1" },
            Template = new TemplateReference { Name = "studio" },
        },
    };

    public void Use(UseSource source = UseSource.Message) => Table.Of(Name).Touch(source, Clock.GetUtcNow());

    public Task BeatAsync() => Service.BeatAsync(default);

    /// <summary>What the operator writes, seen by the watch when this returns.</summary>
    public async Task OperatorWritesAsync(Func<WorkspaceActivity, WorkspaceActivity> change)
    {
        var now = Kube.Find<UserWorkspace>(Name)!;
        Kube.Put(now with { Status = (now.Status ?? new()) with { Activity = change(now.Status?.Activity ?? new()) } });
        var written = Kube.Find<UserWorkspace>(Name)!;
        await ProductFixture.Until(() => WorkspaceWatch.IsAtLeast(Watch.Find(Name), written));
    }

    public Task AnnounceAsync(int inSeconds = 300) => OperatorWritesAsync(a => a with
    {
        AnnouncedAt = Clock.GetUtcNow(),
        StopsAt = Clock.GetUtcNow().AddSeconds(inSeconds),
        StopReason = StopReasons.Idle,
    });

    public Task SeenAsync() =>
        ProductFixture.Until(() => WorkspaceWatch.IsAtLeast(Watch.Find(Name), Kube.Find<UserWorkspace>(Name)!));

    public async ValueTask DisposeAsync()
    {
        await Watch.StopAsync(default);
        Watch.Dispose();
        _http.Dispose();
        _metrics.Dispose();
        Service.Dispose();
    }
}
