using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Pods with containers before and beside the application: which one is to blame, and who can mend it.</summary>
public sealed class FurtherContainerTests
{
    private static readonly ContainerState Runs = new() { Running = new ContainerStateRunning() };
    private static readonly ContainerState Comes = new() { Waiting = new ContainerStateWaiting { Reason = "PodInitializing" } };

    public static TheoryData<string, PodStatus, string, string, FailureEffect, string> Cases => new()
    {
        {
            "the clone failed", Status("Failed", Ended(128), Comes, Comes), FailureClasses.User, Reasons.InitContainerFailed,
                FailureEffect.Replace,
            "Container 'clone', which runs before the application, ended with exit code 128"
        },
        {
            "the clone used too much memory", Status("Failed", Ended(137, "OOMKilled"), Comes, Comes), FailureClasses.User,
            Reasons.OutOfMemory, FailureEffect.Replace, "(64Mi)"
        },
        {
            "the clone's image", Status("Pending", Waits("ImagePullBackOff"), Comes, Comes), FailureClasses.Template, Reasons.ImagePull,
            FailureEffect.Stuck, "alpine/git:1"
        },
        {
            "the clone's command", Status("Failed", Ended(127), Comes, Comes), FailureClasses.Template, Reasons.CannotRun,
            FailureEffect.Replace, "container 'clone'"
        },
        {
            "the proxy's image", Status("Pending", Ended(0), Comes, Waits("ErrImagePull")), FailureClasses.Template, Reasons.ImagePull,
            FailureEffect.Stuck, "proxy:1"
        },
        {
            "the proxy ended while the application runs", Status("Running", Ended(0), Runs, Ended(0)), FailureClasses.Template,
            Reasons.SidecarFailed, FailureEffect.Replace, "'proxy', which runs beside the application,"
        },
        {
            "the proxy failed while the application runs", Status("Running", Ended(0), Runs, Ended(2)), FailureClasses.Template,
            Reasons.SidecarFailed, FailureEffect.Replace, "exit code 2"
        },
        {
            "the application ended while the proxy runs", Status("Running", Ended(0), Ended(1), Runs), FailureClasses.User,
            Reasons.Crashed, FailureEffect.Replace, "The application ended with exit code 1"
        },
        {
            "the application ended by itself while the proxy runs", Status("Running", Ended(0), Ended(0), Runs), FailureClasses.User,
            Reasons.Ended, FailureEffect.Replace, "The application ended by itself"
        },
        {
            "both ended", Status("Failed", Ended(0), Ended(3), Ended(143)), FailureClasses.User, Reasons.Crashed, FailureEffect.Replace,
            "The application ended with exit code 3"
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Classify_PodOfSeveralContainers_BlamesTheRightOne(
        string what, PodStatus status, string @class, string reason, FailureEffect effect, string words)
    {
        var failure = FailureClassifier.Classify(Pod(status), [], TestData.Now);
        Assert.True(failure is not null, what);
        Assert.Equal((@class, reason, effect), (failure.Class, failure.Reason, failure.Effect));
        Assert.Contains(words, failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Classify_EverythingRunsOrIsOnItsWay_IsNoFailure()
    {
        Assert.Null(FailureClassifier.Classify(Pod(Status("Running", Ended(0), Runs, Runs)), [], TestData.Now));
        Assert.Null(FailureClassifier.Classify(Pod(Status("Pending", Runs, Comes, Comes)), [], TestData.Now));
    }

    [Fact]
    public void Sidecar_EndsWhileTheApplicationRuns_TheWorkspaceIsStartedAgain()
    {
        var world = World.Running();
        world.Seen = world.Seen with { Pod = Pod(world.Seen.Pod!, Status("Running", Ended(0), Runs, Ended(1))) };
        world.Settle();
        Assert.Equal((WorkspacePhases.Failed, FailureClasses.Template), (world.Phase, world.Status.Failure!.Class));
        world.Advance(TimeSpan.FromMinutes(1));
        Assert.Contains("DeletePod", world.Settle());
        world.PodGone();
        Assert.Contains("CreatePod", world.Settle());
    }

    private static Pod Pod(PodStatus status) => Pod(new Pod { Spec = new PodSpec() }, status);

    private static Pod Pod(Pod pod, PodStatus status) => pod with
    {
        Spec = pod.Spec! with
        {
            InitContainers =
            [
                new Container
                {
                    Name = "clone",
                    Image = "alpine/git:1",
                    Resources = new ResourceRequirements { Limits = new Dictionary<string, string> { ["memory"] = "64Mi" } },
                },
            ],
            Containers = [new Container { Name = "workspace", Image = "a:1" }, new Container { Name = "proxy", Image = "proxy:1" }],
        },
        Status = status,
    };

    private static PodStatus Status(string phase, ContainerState clone, ContainerState application, ContainerState proxy) => new()
    {
        Phase = phase,
        InitContainerStatuses = [new ContainerStatus { Name = "clone", State = clone }],
        ContainerStatuses =
            [new ContainerStatus { Name = "proxy", State = proxy }, new ContainerStatus { Name = "workspace", State = application }],
    };

    private static ContainerState Ended(int code, string reason = "Error") =>
        new() { Terminated = new ContainerStateTerminated { ExitCode = code, Reason = code == 0 ? "Completed" : reason } };

    private static ContainerState Waits(string reason) => new() { Waiting = new ContainerStateWaiting { Reason = reason } };
}
