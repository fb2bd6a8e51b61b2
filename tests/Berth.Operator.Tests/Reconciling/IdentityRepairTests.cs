using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class IdentityRepairTests
{
    public static TheoryData<string> PodLabels => [Labels.ManagedBy, Labels.Workspace, Labels.Owner, Labels.Template];

    [Theory]
    [MemberData(nameof(PodLabels))]
    public void Pod_LabelChangedOrRemoved_IsPutBack_AndThePodStays(string label)
    {
        foreach (var value in (string?[])[null, "other"])
        {
            var world = World.Running();
            var labels = new Dictionary<string, string>(world.Seen.Pod!.Metadata.Labels!);
            var wanted = labels[label];
            labels.Remove(label);
            if (value is not null)
            {
                labels[label] = value;
            }

            Pod(world, m => m with { Labels = labels });
            Assert.Equal(["RepairPod"], world.Settle());
            Assert.Equal(wanted, world.Seen.Pod!.Metadata.Labels![label]);
            Assert.Equal(WorkspacePhases.Running, world.Phase);
            var note = Assert.Single(world.Notes, n => n.Reason == Reasons.LabelsRepaired);
            Assert.True(note.Warning);
            Assert.Contains($"{label} of pod ", note.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pod_OwnerReferenceRemoved_IsPutBack_BesideThoseOfOthers()
    {
        var world = World.Running();
        var other = new OwnerReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "a", Uid = "u" };
        Pod(world, m => m with { OwnerReferences = [other] });
        Assert.Equal(["RepairPod"], world.Settle());
        Assert.Equal(["u", "uid-1"], world.Seen.Pod!.Metadata.OwnerReferences!.Select(o => o.Uid));
        Assert.Contains("the owner reference of pod", Assert.Single(world.Notes, n => n.Reason == Reasons.LabelsRepaired).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Pod_OfAnotherController_IsNotOurs()
    {
        var world = World.Running();
        Pod(world, m => m with { OwnerReferences = [new OwnerReference { Kind = "Job", Name = "a", Uid = "u", Controller = true }] });
        Assert.DoesNotContain("RepairPod", world.Settle());
        Assert.Equal(WorkspacePhases.Failed, world.Phase);
    }

    [Fact]
    public void Pod_ThatEnds_NeedsNoLabels()
    {
        var world = World.Running();
        Pod(world, m => m with { Labels = null });
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        Assert.DoesNotContain("RepairPod", world.Settle());
        Assert.NotNull(world.Seen.Pod!.Metadata.DeletionTimestamp);
    }

    /// <summary>
    /// The label is what people see; the owner is spec.owner. Where an old API lets that be changed, nothing of the former owner's goes on.
    /// </summary>
    [Fact]
    public void OwnerOfTheWorkspaceChanged_IsNoDamageOfLabels_ThePodEnds()
    {
        var world = World.Running();
        world.Change(s => s with { Owner = new WorkspaceOwner { Issuer = TestData.Issuer, Subject = "somebody else" } });
        var writes = world.Settle();
        Assert.Contains("DeletePod", writes);
        Assert.DoesNotContain("RepairPod", writes);
        Assert.DoesNotContain("ApplyVolume", writes);
        Assert.Equal(Reasons.OwnerMismatch, world.Condition(ConditionTypes.StorageReady).Reason);
    }

    [Theory]
    [InlineData(Labels.ManagedBy)]
    [InlineData(Labels.Workspace)]
    [InlineData(Labels.Owner)]
    public void Volume_LabelChanged_IsPutBack_AndStaysThisPersons(string label)
    {
        var world = World.Running();
        var labels = new Dictionary<string, string>(world.Seen.Volume!.Metadata.Labels!) { [label] = "other" };
        world.Seen = world.Seen with { Volume = world.Seen.Volume with { Metadata = world.Seen.Volume.Metadata with { Labels = labels } } };
        Assert.Equal(["ApplyVolume"], world.Settle());
        Assert.NotEqual("other", world.Seen.Volume!.Metadata.Labels![label]);
        Assert.Contains($"{label} of volume", Assert.Single(world.Notes, n => n.Reason == Reasons.LabelsRepaired).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Volume_LabelsAndAnnotationOfAnotherPerson_IsTheirs()
    {
        var world = World.Running();
        var other = WorkspaceNames.OwnerHash(TestData.Issuer, "other");
        var metadata = world.Seen.Volume!.Metadata;
        world.Seen = world.Seen with
        {
            Volume = world.Seen.Volume with
            {
                Metadata = metadata with
                {
                    Labels = new Dictionary<string, string>(metadata.Labels!) { [Labels.Owner] = other },
                    Annotations = new Dictionary<string, string> { [Annotations.Identity] = $"{metadata.Name}/{other}" },
                },
            },
        };
        Assert.DoesNotContain("ApplyVolume", world.Settle());
        Assert.Equal(Reasons.OwnerMismatch, world.Condition(ConditionTypes.StorageReady).Reason);
    }

    [Fact]
    public void AppliedChildren_LabelsAndOwnerReferencesRemoved_AreAppliedAndTold()
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            Service = world.Seen.Service! with { Metadata = world.Seen.Service.Metadata with { OwnerReferences = null } },
            NetworkPolicy = world.Seen.NetworkPolicy! with { Metadata = world.Seen.NetworkPolicy.Metadata with { Labels = null } },
        };
        Assert.Equal(["ApplyNetworkPolicy", "ApplyService"], world.Settle());
        Assert.NotNull(world.Seen.Service!.Metadata.OwnerReferences);
        Assert.NotNull(world.Seen.NetworkPolicy!.Metadata.Labels);
        var note = Assert.Single(world.Notes, n => n.Reason == Reasons.LabelsRepaired).Message;
        Assert.Contains("the owner reference of Service", note, StringComparison.Ordinal);
        Assert.Contains($"{Labels.Workspace}, {Labels.Owner} of NetworkPolicy", note, StringComparison.Ordinal);
    }

    [Fact]
    public void Workspace_LabelChanged_IsPutBackAndTold_AndANewOneGetsItQuietly()
    {
        var world = World.Running();
        Label(world, "another person");
        Assert.Equal(["RepairWorkspace"], world.Settle());
        Assert.Contains(Labels.Owner, Assert.Single(world.Notes, n => n.Reason == Reasons.LabelsRepaired).Message, StringComparison.Ordinal);

        var fresh = new World();
        Label(fresh, null);
        Assert.Equal("RepairWorkspace", fresh.Settle()[0]);
        Assert.DoesNotContain(fresh.Notes, n => n.Reason == Reasons.LabelsRepaired);
    }

    private static void Label(World world, string? owner) => world.Seen = world.Seen with
    {
        Workspace = world.Seen.Workspace with
        {
            Metadata = world.Seen.Workspace.Metadata with
            {
                Labels = owner is null ? null : new Dictionary<string, string> { [Labels.Owner] = owner },
            },
        },
    };

    private static void Pod(World world, Func<ObjectMeta, ObjectMeta> change) =>
        world.Seen = world.Seen with { Pod = world.Seen.Pod! with { Metadata = change(world.Seen.Pod.Metadata) } };
}
