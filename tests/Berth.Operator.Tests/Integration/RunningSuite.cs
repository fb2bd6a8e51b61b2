using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// The whole operator where pods really run: as containers on a cluster with a node, as processes on the embedded API. The application is
/// Studio, begun by a script that counts its starts on the volume and writes to the log who it is.
/// </summary>
public abstract partial class RunningSuite : OperatorTestBase
{
    private const string Volume = "$WORKSPACE_ROOT";

    /// <summary>A node ends pods at its leisure: a busy kubelet of 1.20 takes up to a minute to report that one has gone.</summary>
    private protected override TimeSpan Deadline => TimeSpan.FromMinutes(2);

    /// <summary>The image, and the command of Studio within it.</summary>
    private protected abstract string Image { get; }

    private protected abstract string Command { get; }

    private protected override WorkspaceTemplateSpec Studio => Spec(Image, $"exec {Command}");

    /// <summary>Makes the volume of a workspace that is stopped writable, where the cluster does not do so.</summary>
    private protected abstract Task PrepareVolumeAsync(string claim = Name);

    /// <summary>Asks the application through the Service.</summary>
    private protected abstract Task<string> AskAsync(string path);

    [SkippableFact]
    public async Task Workspace_RunsStopsAndStarts_AndItsFilesStay()
    {
        SkipIfThereIsNoApi();
        await RunAsync();
        Assert.Contains("start 1", await LogAsync(), StringComparison.Ordinal);
        Assert.Equal("ok", (await AskAsync("/healthz")).Trim());
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Running);
        Assert.NotNull(await Client.TryGetAsync<NetworkPolicy>(Ns, Name, default));
        var volume = await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default);

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        Assert.Null(await Client.TryGetAsync<Pod>(Ns, Name, default));
        Assert.Equal(volume.Metadata.Uid, (await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.Uid);

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running"}}""");
        var second = await ReadyPodAsync();
        Assert.Contains("start 2", await LogAsync(), StringComparison.Ordinal);

        await PatchAsync<UserWorkspace>(Name, """{"metadata":{"annotations":{"berth.dev/restartedAt":"2030-01-01T00:00:00Z"}}}""");
        await UntilAsync<Pod>(Name, p => p is not null && p.Metadata.Uid != second.Metadata.Uid);
        await ReadyPodAsync();
        Assert.Contains("start 3", await LogAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Application_EndsByItself_IsStartedAgainAfterAPause_AndACorrectedTemplateAtOnce()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Spec(Image, "exit 3"));
        await RunAsync(waitUntilReady: false);
        var failed = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.NextRetryAt is not null);
        Assert.Equal(WorkspacePhases.Failed, failed!.Status!.Phase);
        Assert.Equal(FailureClasses.User, failed.Status.Failure!.Class);
        Assert.Contains("exit code 3", failed.Status.Message, StringComparison.Ordinal);
        Assert.Contains("start 1", await LogAsync(), StringComparison.Ordinal);

        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.Attempts == 2);
        await ChangeTemplateAsync(Studio);
        await ReadyPodAsync();
        Assert.Contains("start 3", await LogAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task WrongImage_IsTheTemplatesFault_AndACorrectionStartsTheWorkspace()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Studio with { Image = "berth-tests/no-such:1" });
        await RunAsync(waitUntilReady: false);
        var failed = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.Reason == Reasons.ImagePull);
        Assert.Equal(FailureClasses.Template, failed!.Status!.Failure!.Class);
        Assert.Contains("berth-tests/no-such:1", failed.Status.Message, StringComparison.Ordinal);

        await ChangeTemplateAsync(Studio);
        await ReadyPodAsync();
    }

    [SkippableFact]
    public async Task FurtherContainers_RunInOrderAndBeside_AndAParameterIsTheSameTextInVariableAndFile()
    {
        SkipIfThereIsNoApi();
        const string hostile = "$(WORKSPACE_NAME) $$ `id` \"; echo broken; é";
        await ChangeTemplateAsync(Studio with
        {
            InitContainers =
            [
                Shell("first", """cat "$WORKSPACE_PARAMETERS/words" > "$WORKSPACE_ROOT/words"; echo "$WORDS" > "$WORKSPACE_ROOT/order" """),
                Shell("second", """test -f "$WORKSPACE_ROOT/words"; cat "$WORKSPACE_ROOT/words"; echo; cat "$WORKSPACE_ROOT/order" """),
            ],
            Sidecars = [Shell("beside", "echo beside $WORKSPACE_NAME; while true; do sleep 1; done") with { MountVolume = false }],
            Parameters = [new TemplateParameter { Name = "words", Env = "WORDS", File = "words" }],
        });
        await RunAsync(s => s with { Parameters = new Dictionary<string, string> { ["words"] = hostile } });
        Assert.Equal($"{hostile}\n{hostile}\n", await LogAsync(container: "second"));
        Assert.Equal($"beside {Name}\n", await LogAsync(container: "beside"));
        Assert.Contains("start 1", await LogAsync(container: Blueprint.ContainerName), StringComparison.Ordinal);
        Assert.Equal("ok", (await AskAsync("/healthz")).Trim());
        Assert.Empty(RestrictedStandard.Violations(await ReadyPodAsync()));
    }

    [SkippableFact]
    public async Task InitContainer_Fails_TheApplicationIsNotStarted_AndTheRightOneIsBlamed()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Studio with { InitContainers = [Shell("clone", "echo no such repository; exit 128")] });
        await RunAsync(waitUntilReady: false);
        var failed = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.NextRetryAt is not null);
        Assert.Equal((FailureClasses.User, Reasons.InitContainerFailed), (failed!.Status!.Failure!.Class, failed.Status.Failure.Reason));
        Assert.Contains("'clone'", failed.Status.Message, StringComparison.Ordinal);
        Assert.Contains("exit code 128", failed.Status.Message, StringComparison.Ordinal);
        Assert.Contains("no such repository", await LogAsync(container: "clone"), StringComparison.Ordinal);

        await ChangeTemplateAsync(Studio);
        await ReadyPodAsync();
        Assert.Contains("start 1", await LogAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Deleted_Retain_ALaterWorkspaceFindsTheFiles_AndWithDeleteNothingStays()
    {
        SkipIfThereIsNoApi();
        await RunAsync();
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<Pod>(Name, p => p is null);
        await UntilAsync<Service>(Name, s => s is null);
        await UntilAsync<NetworkPolicy>(Name, p => p is null);
        Assert.NotNull(await Client.TryGetAsync<PersistentVolumeClaim>(Ns, Name, default));

        await CreateAsync(s => s with { Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete } });
        await ReadyPodAsync();
        Assert.Contains("start 2", await LogAsync(), StringComparison.Ordinal);
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        await UntilAsync<UserWorkspace>(Name, w => w is null);
        await UntilAsync<Pod>(Name, p => p is null);
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is null);
        await UntilAsync<Service>(Name, s => s is null);
    }

    /// <summary>The workspace with its volume ready, then started.</summary>
    private protected Task RunAsync(bool waitUntilReady = true) => RunAsync(s => s, waitUntilReady);

    private protected async Task RunAsync(Func<UserWorkspaceSpec, UserWorkspaceSpec> change, bool waitUntilReady = true)
    {
        await CreateAsync(s => change(s) with { DesiredState = DesiredStates.Stopped });
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is not null);
        await PrepareVolumeAsync();
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running"}}""");
        if (waitUntilReady)
        {
            await ReadyPodAsync();
        }
    }

    private protected async Task<Pod> ReadyPodAsync(string pod = Name)
    {
        await UntilAsync<UserWorkspace>(Name, w =>
            w?.Status?.ObservedGeneration == w?.Metadata.Generation
            && w?.Status?.Conditions?.Any(c => c is { Type: ConditionTypes.Ready, Status: "True" }) == true);
        return (await UntilAsync<Pod>(pod, p =>
            p is { Metadata.DeletionTimestamp: null, Status.Conditions: { } conditions }
            && conditions.Any(c => c is { Type: "Ready", Status: "True" })))!;
    }

    private protected async Task<string> LogAsync(string pod = Name, string? container = null)
    {
        await using var stream = await Client.OpenLogAsync(Ns, pod, new LogOptions { Container = container }, default);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private protected async Task ChangeTemplateAsync(WorkspaceTemplateSpec spec)
    {
        var template = await Client.GetAsync<WorkspaceTemplate>(Ns, "studio", default);
        await Client.ReplaceAsync(template with { Spec = spec }, null, default);
    }

    private TemplateContainer Shell(string name, string script) =>
        new() { Name = name, Image = Image, Command = ["/bin/sh", "-ec"], Args = [script] };

    private protected static WorkspaceTemplateSpec Spec(string image, string last) => new()
    {
        Image = image,
        Command = ["/bin/sh", "-c"],
        Args =
        [
            $"""
            n=`cat "{Volume}/starts" 2>/dev/null || echo 0`
            n=`expr "$n" + 1`
            echo "$n" > "{Volume}/starts"
            echo "start $n as `id -u`"
            touch /berth-test 2>/dev/null && rm /berth-test && echo "the root is writable"
            {last}
            """,
        ],
        Storage = new TemplateStorage { Size = "1Gi", MountPath = "/workspace" },

        // On a busy machine the application may be late to answer; a pod that is not ready for that while would be another test.
        Probes = new TemplateProbes
        {
            Readiness = new TemplateProbe { Path = "/healthz", PeriodSeconds = 1, TimeoutSeconds = 5, FailureThreshold = 30 },
        },
        SecurityContext = new TemplateSecurity { RunAsUser = 1000, ReadOnlyRootFilesystem = true },
        TerminationGracePeriodSeconds = 5,
    };
}
