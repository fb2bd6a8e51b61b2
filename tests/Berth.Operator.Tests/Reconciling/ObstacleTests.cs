using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// An object of others that has the name of a child is in no cache, so nothing tells when it goes: the operator has to look by itself.
/// </summary>
public sealed class ObstacleTests
{
    private static readonly ObjectMeta Theirs = new() { Name = Stage.Name, Namespace = TestData.Ns };

    private static readonly Dictionary<string, (ResourceDescriptor Kind, Action<SimulatedApi> Add)> Obstacles = new(StringComparer.Ordinal)
    {
        ["NetworkPolicy"] = (NetworkPolicy.Descriptor, static a => a.Add(new NetworkPolicy { Metadata = Theirs, Spec = new() })),
        ["Service"] = (Service.Descriptor, static a => a.Add(new Service { Metadata = Theirs, Spec = new() { Ports = [new() { Port = 1 }] } })),
        ["Volume"] = (PersistentVolumeClaim.Descriptor, static a => a.Add(new PersistentVolumeClaim
        {
            Metadata = Theirs,
            Spec = new() { Resources = new() { Requests = new Dictionary<string, string> { ["storage"] = "1Gi" } } },
        })),
        ["Pod"] = (Pod.Descriptor, static a => a.Add(new Pod
        {
            Metadata = Theirs,
            Spec = new() { Containers = [new() { Name = "theirs", Image = "theirs" }] },
        })),
    };

    [Theory]
    [InlineData("NetworkPolicy")]
    [InlineData("Service")]
    [InlineData("Volume")]
    [InlineData("Pod")]
    public void OthersObjectHasTheNameOfAChild_ItIsGone_TheWorkspaceGoesOnByItself(string obstacle)
    {
        var (kind, add) = Obstacles[obstacle];
        using var stage = new Stage();
        add(stage.Api);
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.Run();
        Assert.Contains(stage.Workspace.Status!.Conditions!, c => c.Reason == Reasons.NameClash);

        stage.Api.Delete(kind, stage.Workspace.Key(), new DeleteOptions { GracePeriodSeconds = 0 });
        stage.Run();
        Assert.Equal(WorkspacePhases.Running, stage.Workspace.Status!.Phase);
        Assert.DoesNotContain(stage.Workspace.Status.Conditions!, c => c.Reason == Reasons.NameClash);
        Assert.NotNull(stage.Api.Find(kind, stage.Workspace.Key()));
    }

    [Fact]
    public void Decide_OthersServiceIsInTheWay_LooksAgainAfterHalfAMinute()
    {
        var world = World.Running();
        Assert.True(world.Last.Again is null || world.Last.Again > Decider.ObstacleLook);
        world.Seen = world.Seen with { Service = new Service { Metadata = new ObjectMeta { Name = world.Seen.Workspace.Metadata.Name } } };
        world.Settle();
        Assert.Equal(TimeSpan.FromSeconds(30), world.Last.Again);
    }
}
