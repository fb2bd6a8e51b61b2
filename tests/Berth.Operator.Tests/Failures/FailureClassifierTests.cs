using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class FailureClassifierTests
{
    private static readonly DateTimeOffset Now = TestData.Now;

    public static TheoryData<string, PodStatus, string, string, FailureEffect> Failures => new()
    {
        { "ErrImagePull", Waiting("ErrImagePull", "manifest unknown"), FailureClasses.Template, Reasons.ImagePull, FailureEffect.Stuck },
        { "ImagePullBackOff", Waiting("ImagePullBackOff", "Back-off pulling image"), FailureClasses.Template, Reasons.ImagePull,
            FailureEffect.Stuck },
        { "ErrImageNeverPull", Waiting("ErrImageNeverPull", null), FailureClasses.Template, Reasons.ImagePull, FailureEffect.Stuck },
        { "InvalidImageName", Waiting("InvalidImageName", "couldn't parse"), FailureClasses.Template, Reasons.InvalidImageName,
            FailureEffect.Stuck },
        { "CreateContainerConfigError", Waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
            FailureClasses.Template, Reasons.ContainerConfig, FailureEffect.Stuck },
        { "RunContainerError", Waiting("RunContainerError", "exec: no such file"), FailureClasses.Template, Reasons.CannotRun,
            FailureEffect.Stuck },
        { "CrashLoopBackOff", Waiting("CrashLoopBackOff", "back-off 10s"), FailureClasses.User, Reasons.Crashed, FailureEffect.Stuck },
        { "exit 1", Ended(1, "Error"), FailureClasses.User, Reasons.Crashed, FailureEffect.Replace },
        { "exit 127", Ended(127, "Error"), FailureClasses.Template, Reasons.CannotRun, FailureEffect.Replace },
        { "cannot run", Ended(128, "ContainerCannotRun"), FailureClasses.Template, Reasons.CannotRun, FailureEffect.Replace },
        { "start error", Ended(128, "StartError"), FailureClasses.Template, Reasons.CannotRun, FailureEffect.Replace },
        { "killed", Ended(137, "Error"), FailureClasses.Platform, Reasons.Crashed, FailureEffect.Replace },
        { "OOMKilled", Ended(137, "OOMKilled"), FailureClasses.User, Reasons.OutOfMemory, FailureEffect.Replace },
        { "status unknown", Ended(137, "ContainerStatusUnknown"), FailureClasses.Platform, Reasons.NodeLost, FailureEffect.Replace },
        { "lost with its node", Ended(255, "Unknown"), FailureClasses.Platform, Reasons.NodeLost, FailureEffect.Replace },
        { "exit 255", Ended(255, "Error"), FailureClasses.User, Reasons.Crashed, FailureEffect.Replace },
        { "succeeded", new PodStatus { Phase = "Succeeded" }, FailureClasses.User, Reasons.Ended, FailureEffect.Replace },
        { "Evicted", new PodStatus { Phase = "Failed", Reason = "Evicted", Message = "The node was low on resource: memory." },
            FailureClasses.Platform, Reasons.Evicted, FailureEffect.Replace },
        { "shutdown", new PodStatus { Phase = "Failed", Reason = "NodeShutdown" }, FailureClasses.Platform, Reasons.NodeLost,
            FailureEffect.Replace },
        { "terminated by shutdown", new PodStatus { Phase = "Failed", Reason = "Terminated" }, FailureClasses.Platform, Reasons.NodeLost,
            FailureEffect.Replace },
        { "OutOfcpu", new PodStatus { Phase = "Failed", Reason = "OutOfcpu" }, FailureClasses.Platform, Reasons.NodeRefused,
            FailureEffect.Replace },
        { "no reason", new PodStatus { Phase = "Failed" }, FailureClasses.Platform, Reasons.PodFailed, FailureEffect.Replace },
        { "unknown", new PodStatus { Phase = "Unknown" }, FailureClasses.Platform, Reasons.NodeLost, FailureEffect.Wait },
        { "NodeLost", new PodStatus { Phase = "Running", Reason = "NodeLost" }, FailureClasses.Platform, Reasons.NodeLost,
            FailureEffect.Wait },
        {
            "Unschedulable",
            new PodStatus { Phase = "Pending", Conditions = [new Condition { Type = "PodScheduled", Status = "False",
                Reason = "Unschedulable", Message = "0/3 nodes are available: 3 Insufficient cpu." }] },
            FailureClasses.Platform, Reasons.Unschedulable, FailureEffect.Wait
        },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public void Classify_FailedPod_NamesClassReasonAndRemedy(string what, PodStatus status, string @class, string reason,
        FailureEffect effect)
    {
        var failure = FailureClassifier.Classify(Pod(status), [], Now);

        Assert.NotNull(failure);
        Assert.Equal((@class, reason, effect), (failure.Class, failure.Reason, failure.Effect));

        // Plain words: a sentence of what happened and one of what follows, without the raw word of the kubelet standing alone.
        Assert.True(failure.Message.Length > 40 && failure.Message.EndsWith('.'), what + ": " + failure.Message);
    }

    [Theory]
    [InlineData("Pending", null)]
    [InlineData("Pending", "ContainerCreating")]
    [InlineData("Pending", "PodInitializing")]
    [InlineData("Running", null)]
    [InlineData(null, null)]
    public void Classify_PodOnItsWay_IsNoFailure(string? phase, string? waiting) =>
        Assert.Null(FailureClassifier.Classify(
            Pod(waiting is null ? new PodStatus { Phase = phase } : Waiting(waiting, null) with { Phase = phase }), [], Now));

    [Fact]
    public void Classify_FailedMountEvent_IsThePlatforms()
    {
        var failure = FailureClassifier.Classify(
            Pod(Waiting("ContainerCreating", null)),
            [new CoreEvent { Reason = "Scheduled" }, new CoreEvent { Reason = "FailedMount",
                Message = "Multi-Attach error for volume pvc-1" }],
            Now);
        Assert.Equal((FailureClasses.Platform, Reasons.FailedMount, FailureEffect.Wait), (failure!.Class, failure.Reason, failure.Effect));
        Assert.Contains("Multi-Attach", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_FailedMountEventOfARunningContainer_IsOver()
    {
        var status = new PodStatus
        {
            Phase = "Running",
            ContainerStatuses = [new ContainerStatus { Name = "workspace",
                State = new ContainerState { Running = new ContainerStateRunning() } }],
        };
        Assert.Null(FailureClassifier.Classify(Pod(status), [new CoreEvent { Reason = "FailedMount" }], Now));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(59, false)]
    [InlineData(60, true)]
    public void Classify_PodThatShouldBeGone_IsStrandedAfterAMinute(int seconds, bool lost)
    {
        var pod = Pod(new PodStatus { Phase = "Running" });
        pod = pod with { Metadata = pod.Metadata with { DeletionTimestamp = Now } };
        Assert.Equal(lost ? Reasons.NodeLost : null, FailureClassifier.Classify(pod, [], Now.AddSeconds(seconds))?.Reason);
    }

    [Fact]
    public void Classify_OutOfMemory_TellsTheLimit() =>
        Assert.Contains("512Mi", FailureClassifier.Classify(Pod(Ended(137, "OOMKilled")), [], Now)!.Message, StringComparison.Ordinal);

    [Fact]
    public void Classify_HostileDetail_IsCutToOneLine()
    {
        var message = FailureClassifier.Classify(Pod(Waiting("ErrImagePull", "a\nb\r\n" + new string('x', 5000))), [], Now)!.Message;
        Assert.DoesNotContain('\n', message);
        Assert.True(message.Length < 700);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    [InlineData(5, 160)]
    [InlineData(6, 300)]
    [InlineData(1000, 300)]
    public void Backoff_Attempts_DoublesTo5Minutes(int attempts, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.After(attempts));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 10)]
    [InlineData(3, 20)]
    public void Backoff_NodeWasLost_FirstAttemptComesAtOnce(int attempts, int seconds)
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.After(attempts, Reasons.NodeLost));
        Assert.True(Backoff.After(attempts, Reasons.Crashed) > Backoff.After(attempts, Reasons.NodeLost));
    }

    private static PodStatus Waiting(string reason, string? message) => new()
    {
        Phase = "Pending",
        ContainerStatuses =
            [new ContainerStatus { Name = "workspace", State = new ContainerState { Waiting = new ContainerStateWaiting { Reason = reason,
                Message = message } } }],
    };

    private static PodStatus Ended(int code, string reason) => new()
    {
        Phase = "Failed",
        ContainerStatuses =
            [new ContainerStatus { Name = "workspace",
                State = new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = code, Reason = reason } } }],
    };

    private static Pod Pod(PodStatus status) => new()
    {
        Metadata = new ObjectMeta { Name = "a" },
        Spec = new PodSpec
        {
            NodeName = status.Conditions is null ? "node1" : null,
            Containers =
            [
                new Container
                {
                    Name = "workspace",
                    Image = "registry/image:1",
                    Resources = new ResourceRequirements { Limits = new Dictionary<string, string> { ["memory"] = "512Mi" } },
                },
            ],
        },
        Status = status,
    };
}
