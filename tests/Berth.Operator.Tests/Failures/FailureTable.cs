using Berth.Resources;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>What Kubernetes says, and what becomes of it: the cases of the documentation, each checked against the classifier.</summary>
internal static class FailureTable
{
    /// <summary>One case.</summary>
    /// <param name="Sign">What Kubernetes says, as the documentation puts it.</param>
    /// <param name="Pod">A pod of which it says so.</param>
    /// <param name="Class">One of <see cref="FailureClasses"/>.</param>
    /// <param name="Reason">One of <see cref="Reasons"/>.</param>
    /// <param name="Effect">What follows.</param>
    /// <param name="Events">Warnings about the pod or its volume.</param>
    internal sealed record Case(string Sign, Pod Pod, string Class, string Reason, FailureEffect Effect, params CoreEvent[] Events);

    internal static IReadOnlyList<Case> Cases { get; } =
    [
        new("`ErrImagePull`, `ImagePullBackOff`, "
            + "`ErrImageNeverPull`", Waiting("ImagePullBackOff"), FailureClasses.Template, Reasons.ImagePull,
            FailureEffect.Stuck),
        new("`InvalidImageName`, `ImageInspectError`", Waiting("InvalidImageName"), FailureClasses.Template, Reasons.InvalidImageName,
            FailureEffect.Stuck),
        new("`CreateContainerConfigError`", Waiting("CreateContainerConfigError"), FailureClasses.Template, Reasons.ContainerConfig,
            FailureEffect.Stuck),
        new("`CreateContainerError`, `RunContainerError`", Waiting("RunContainerError"), FailureClasses.Template, Reasons.CannotRun,
            FailureEffect.Stuck),
        new("`StartError`, `ContainerCannotRun`, exit code 126 or 127", Ended(127), FailureClasses.Template, Reasons.CannotRun,
            FailureEffect.Replace),
        new("`FailedScheduling`: CPU, memory, GPUs, volumes", Unscheduled("0/3 nodes are available: 3 Insufficient "
            + "cpu."), FailureClasses.Platform,
            Reasons.Unschedulable, FailureEffect.Wait),
        new("`FailedScheduling`: only labels and taints that the template chose",
            Unscheduled("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."), FailureClasses.Template,
            Reasons.Unschedulable, FailureEffect.Wait),
        new("`ProvisioningFailed` of the volume", Unscheduled("0/1 nodes are available: 1 pod has unbound immediate "
            + "PersistentVolumeClaims."),
            FailureClasses.Platform, Reasons.ProvisioningFailed, FailureEffect.Wait, Event("ProvisioningFailed", "no space left in the "
                + "pool")),
        new("`FailedMount`, `FailedAttachVolume`, `Multi-Attach error`", Waiting("ContainerCreating"), FailureClasses.Platform,
            Reasons.FailedMount, FailureEffect.Wait, Event("FailedAttachVolume", "Multi-Attach error for volume pvc-1")),
        new("`OOMKilled`", Ended(137, "OOMKilled"), FailureClasses.User, Reasons.OutOfMemory, FailureEffect.Replace),
        new("exit code other than 0", Ended(3), FailureClasses.User, Reasons.Crashed, FailureEffect.Replace),
        new("exit code 0", Ended(0), FailureClasses.User, Reasons.Ended, FailureEffect.Replace),
        new("exit code 137 or 143, no probe", Ended(137), FailureClasses.Platform, Reasons.Crashed, FailureEffect.Replace),
        new("killed after `Liveness probe failed`", Ended(137), FailureClasses.User, Reasons.ProbeFailed, FailureEffect.Replace,
            Event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500")),
        new("killed after `Startup probe failed`", Ended(137), FailureClasses.Template, Reasons.ProbeFailed, FailureEffect.Replace,
            Event("Unhealthy", "Startup probe failed: connection refused")),
        new("an init container ends with an error", Init(128), FailureClasses.User, Reasons.InitContainerFailed, FailureEffect.Replace),
        new("a sidecar ends, with an error or without", Sidecar(0), FailureClasses.Template, Reasons.SidecarFailed, FailureEffect.Replace),
        new("`Evicted` (DiskPressure, MemoryPressure), drained", Failed("Evicted"), FailureClasses.Platform, Reasons.Evicted,
            FailureEffect.Replace),
        new("`Preempting`, `PreemptionByScheduler`", Failed("Preempting"), FailureClasses.Platform, Reasons.Preempted,
            FailureEffect.Replace),
        new("`DeadlineExceeded`", Failed("DeadlineExceeded"), FailureClasses.Platform, Reasons.DeadlineExceeded, FailureEffect.Replace),
        new("`OutOfcpu`, `UnexpectedAdmissionError`", Failed("OutOfcpu"), FailureClasses.Platform, Reasons.NodeRefused,
            FailureEffect.Replace),
        new("the node was shut down or "
            + "restarted", Failed("NodeShutdown"), FailureClasses.Platform, Reasons.NodeLost, FailureEffect.Replace),
        new("the node does not answer", new Pod { Spec = new PodSpec { NodeName = "node1" }, Status = new PodStatus { Phase = "Unknown" } },
            FailureClasses.Platform, Reasons.NodeLost, FailureEffect.Wait),
        new("anything else", Failed(null), FailureClasses.Platform, Reasons.PodFailed, FailureEffect.Replace),
    ];

    /// <summary>The table as the documentation has it.</summary>
    internal static string Markdown() => string.Join('\n',
        [
            "| what Kubernetes says | class | reason | what follows |",
            "|---|---|---|---|",
            .. Cases.Select(c => $"| {c.Sign} | {c.Class} | {c.Reason} | {Follows(c.Effect)} |"),
        ]);

    private static string Follows(FailureEffect effect) => effect switch
    {
        FailureEffect.Wait => "waits",
        FailureEffect.Stuck => "failed; starts when the template is corrected",
        _ => "failed; a new pod after a pause",
    };

    private static CoreEvent Event(string reason, string message) => new() { Type = "Warning", Reason = reason, Message = message };

    private static Pod Of(PodStatus status, bool init = false, bool sidecar = false) => new()
    {
        Metadata = new ObjectMeta { Name = "a" },
        Spec = new PodSpec
        {
            NodeName = status.Conditions is null ? "node1" : null,
            InitContainers = init ? [new Container { Name = "clone" }] : null,
            Containers = sidecar
                ? [new Container { Name = "workspace" }, new Container { Name = "proxy" }]
                : [new Container { Name = "workspace", Image = "registry/image:1" }],
        },
        Status = status,
    };

    private static Pod Failed(string? reason) => Of(new PodStatus { Phase = "Failed", Reason = reason });

    private static Pod Unscheduled(string message) => Of(new PodStatus
    {
        Phase = "Pending",
        Conditions = [new Condition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = message }],
    });

    private static Pod Waiting(string reason) => Of(new PodStatus
    {
        Phase = "Pending",
        ContainerStatuses = [Status("workspace", new ContainerState { Waiting = new ContainerStateWaiting { Reason = reason } })],
    });

    private static Pod Ended(int code, string reason = "Error") =>
        Of(new PodStatus { Phase = "Failed", ContainerStatuses = [Status("workspace", Terminated(code, reason))] });

    private static Pod Init(int code) =>
        Of(new PodStatus { Phase = "Failed", InitContainerStatuses = [Status("clone", Terminated(code))] }, init: true);

    private static Pod Sidecar(int code) => Of(
        new PodStatus
        {
            Phase = "Running",
            ContainerStatuses =
            [
                Status("workspace", new ContainerState { Running = new ContainerStateRunning() }), Status("proxy", Terminated(code)),
            ],
        },
        sidecar: true);

    private static ContainerState Terminated(int code, string reason = "Error") =>
        new() { Terminated = new ContainerStateTerminated { ExitCode = code, Reason = reason } };

    private static ContainerStatus Status(string name, ContainerState state) => new() { Name = name, State = state };
}

/// <summary>The table of failures holds, and the documentation has it.</summary>
public sealed class FailureTableTests
{
    public static TheoryData<string> Signs => [.. FailureTable.Cases.Select(c => c.Sign)];

    [Theory]
    [MemberData(nameof(Signs))]
    public void Classify_WhatKubernetesSays_IsAsTheTableHasIt(string sign)
    {
        var row = FailureTable.Cases.Single(c => c.Sign == sign);
        var failure = FailureClassifier.Classify(row.Pod, row.Events, TestData.Now);
        Assert.NotNull(failure);
        Assert.Equal((row.Class, row.Reason, row.Effect), (failure.Class, failure.Reason, failure.Effect));
        Assert.True(failure.Message.Length > 40 && failure.Message.EndsWith('.'), failure.Message);
    }

    [Fact]
    public void Documentation_HasTheTable()
    {
        var page = Checkout.Read("docs", "lifecycle.md");
        Assert.True(page.Contains(FailureTable.Markdown(), StringComparison.Ordinal),
            "Put this table into docs/lifecycle.md:\n" + FailureTable.Markdown());
    }
}
