using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class VolumeLookupTests
{
    private static readonly UserWorkspace Workspace = TestData.Workspace();

    [Fact]
    public void Choose_RememberedName_WinsOverTheWorkspacesName()
    {
        var pool = Claim("pool-7");
        Assert.Same(pool, VolumeLookup.Choose(Workspace, pool, Claim(Workspace.Metadata.Name!), [pool, Claim(Workspace.Metadata.Name!)]));
    }

    [Fact]
    public void Choose_NothingRemembered_TakesTheOneOfTheWorkspacesName()
    {
        var own = Claim(Workspace.Metadata.Name!);
        Assert.Same(own, VolumeLookup.Choose(Workspace, null, own, [Claim("pool-7"), own]));
    }

    [Fact]
    public void Choose_OnlyAnotherName_IsFoundByItsLabels()
    {
        var released = Claim("pool-7", (Annotations.ReleasedAt, "2026-01-01T00:00:00Z"));
        Assert.Same(released, VolumeLookup.Choose(Workspace, null, null, [released]));
    }

    [Fact]
    public void Choose_SeveralReleased_TakesTheLatest()
    {
        var older = Claim("a", (Annotations.ReleasedAt, "2026-01-01T00:00:00Z"));
        var newer = Claim("b", (Annotations.ReleasedAt, "2026-02-01T00:00:00Z"));
        Assert.Same(newer, VolumeLookup.Choose(Workspace, null, null, [older, newer]));
    }

    [Fact]
    public void Choose_ReplacedByARestore_IsTakenOnlyWhenThereIsNothingElse()
    {
        var replaced = Claim(Workspace.Metadata.Name!, (Annotations.ReplacedBy, "restored"));
        var restored = Claim("restored", (Annotations.ReleasedAt, "2026-02-01T00:00:00Z"));
        Assert.Same(restored, VolumeLookup.Choose(Workspace, null, replaced, [replaced, restored]));
        Assert.Same(replaced, VolumeLookup.Choose(Workspace, null, replaced, [replaced]));
    }

    [Fact]
    public void Choose_BeingDeleted_IsTakenOnlyWhenThereIsNothingElse()
    {
        var ending = Claim(Workspace.Metadata.Name!);
        ending = ending with { Metadata = ending.Metadata with { DeletionTimestamp = TestData.Now } };
        var other = Claim("other", (Annotations.ReleasedAt, "2026-02-01T00:00:00Z"));
        Assert.Same(other, VolumeLookup.Choose(Workspace, null, ending, [ending, other]));
    }

    [Fact]
    public void Choose_OfAnotherOwner_IsNeverFoundByLabels_ButNamed()
    {
        var foreign = Claim(Workspace.Metadata.Name!);
        foreign = foreign with
        {
            Metadata = foreign.Metadata with
            {
                Labels = new Dictionary<string, string>(foreign.Metadata.Labels!) { [Labels.Owner] = "somebody-else" },
            },
        };
        Assert.Null(VolumeLookup.Choose(Workspace, null, null, [foreign]));
        Assert.Same(foreign, VolumeLookup.Choose(Workspace, null, foreign, [foreign]));
    }

    [Fact]
    public void Settle_ClaimOfAnotherName_IsMounted_AndRemembered()
    {
        var world = new World();
        world.Seen = world.Seen with { Volume = Claim("pool-7") };
        world.Settle();
        Assert.Equal("pool-7", world.Seen.Pod!.Spec!.Volumes!.Single(v =>
            v.PersistentVolumeClaim is not null).PersistentVolumeClaim!.ClaimName);
        Assert.Equal("pool-7", world.Status.Storage!.ClaimName);
        Assert.Equal("pool-7", VolumeLookup.NameFor(world.Seen.Workspace));
    }

    private static PersistentVolumeClaim Claim(string name, params (string Name, string Value)[] annotations) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name,
            Namespace = Workspace.Metadata.Namespace,
            Uid = "uid-" + name,
            Labels = Children.LabelsOf(Workspace),
            Annotations = annotations.ToDictionary(a => a.Name, a => a.Value),
        },
    };
}
