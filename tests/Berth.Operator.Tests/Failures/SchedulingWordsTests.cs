using Berth.Resources;

namespace Berth.Operator.Tests;

/// <summary>The scheduler's sentences, of old and new versions, in plain words.</summary>
public sealed class SchedulingWordsTests
{
    [Theory]
    [InlineData("0/3 nodes are available: 3 Insufficient cpu.", FailureClasses.Platform, "of 3, 3 have too little CPU free")]
    [InlineData("0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.", FailureClasses.Platform,
        "of 3, 1 has too little CPU free; 2 have too little memory free")]
    [InlineData("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", FailureClasses.Platform, "1 has too little GPUs "
        + "(nvidia.com/gpu) free")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: 0/2 nodes are available: 2 "
        + "Preemption is not helpful for scheduling.", FailureClasses.Template, "2 do not have the labels that the template asks for")]
    [InlineData("0/2 nodes are available: 2 node(s) didn't match node selector.", FailureClasses.Template,
        "2 do not have the labels that the template asks for")]
    [InlineData("0/2 nodes are available: 1 node(s) had taint {dedicated: gpu}, that the pod didn't tolerate, 1 Insufficient cpu.",
        FailureClasses.Platform, "1 is reserved (taint dedicated: gpu); 1 has too little CPU free")]
    [InlineData("0/2 nodes are available: 2 node(s) had untolerated taint {dedicated: gpu}.", FailureClasses.Template,
        "2 are reserved (taint dedicated: gpu)")]
    [InlineData("0/1 nodes are available: 1 node(s) had taint {node.kubernetes.io/disk-pressure: }, that the pod didn't tolerate.",
        FailureClasses.Platform, "1 is not fit now (disk-pressure)")]
    [InlineData("0/2 nodes are available: 2 node(s) had volume node affinity conflict.", FailureClasses.Platform,
        "2 cannot reach the volume: it is in another zone, or on another node")]
    [InlineData("0/4 nodes are available: 3 node(s) exceed max volume count, 1 node(s) were unschedulable.", FailureClasses.Platform,
        "3 hold as many volumes as they can; 1 are closed for new pods")]
    [InlineData("0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.", FailureClasses.Platform,
        "The volume of the workspace is not made yet")]
    [InlineData("0/1 nodes are available: 1 something that no version has said yet.", FailureClasses.Platform,
        "1 something that no version has said yet")]
    [InlineData("no nodes available to schedule pods", FailureClasses.Platform, "(no nodes available to schedule pods)")]
    [InlineData(null, FailureClasses.Platform, "No node can take the workspace now.")]
    public void Unschedulable_SchedulersSentence_InPlainWords(string? message, string @class, string words)
    {
        var failure = SchedulingWords.Unschedulable(message);
        Assert.Equal((@class, Reasons.Unschedulable, FailureEffect.Wait), (failure.Class, failure.Reason, failure.Effect));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unschedulable_HostileSentence_IsCut()
    {
        var message = SchedulingWords.Unschedulable(
            "0/9 nodes are available: " + string.Join(", ", Enumerable.Repeat("1 " + new string('x', 500) + "\n", 300))).Message;
        Assert.True(message.Length < 1500, message);
        Assert.DoesNotContain('\n', message);
    }
}
