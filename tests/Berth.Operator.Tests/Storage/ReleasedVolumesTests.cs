using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>A released volume that a pod still uses is not deleted, however long its window has been over.</summary>
public sealed class ReleasedVolumesTests
{
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);

    [Fact]
    public void Tend_WindowIsOverAndAPodUsesTheVolume_ItStaysUntilThePodIsGone()
    {
        using var stage = ReleasedOnALostNode();
        stage.Time.Advance(2 * Window);
        stage.Run();
        Assert.Null(Volume(stage)!.Metadata.DeletionTimestamp);

        stage.Cluster.ReturnAll();
        stage.Run();
        Assert.Null(stage.Api.Get<Pod>(SimulatedPeople.Key(Stage.Name)));
        Assert.Null(Volume(stage));
    }

    [Fact]
    public async Task Tend_WindowIsOverAndAPodUsesTheVolume_LooksAgainWithinAMinute()
    {
        using var stage = ReleasedOnALostNode();
        stage.Time.Advance(2 * Window);
        var policy = EffectivePolicy.From(Policy.Spec);
        var released = new ReleasedVolumes(
            new SimulatedClient(stage.Api, stage.Operator.Wire), stage.Operator.Caches, () => policy, stage.Time,
            NullLogger<ReleasedVolumes>.Instance);
        var result = await released.TendAsync(SimulatedPeople.Key(Stage.Name), default);
        Assert.InRange(result.RequeueAfter!.Value, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        Assert.Null(Volume(stage)!.Metadata.DeletionTimestamp);
    }

    /// <summary>The workspace is deleted while its node is cut off: nobody confirms that its pod has ended.</summary>
    private static Stage ReleasedOnALostNode()
    {
        var stage = new Stage();
        stage.Api.Add(Policy);
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.Run();
        stage.Cluster.Lose(stage.Api.Get<Pod>(stage.Workspace.Key())!.Spec!.NodeName!, powerOff: false);
        stage.People.Delete(Stage.Name);
        stage.Run();
        Assert.Null(stage.People.Find(Stage.Name));
        Assert.NotNull(stage.Api.Get<Pod>(SimulatedPeople.Key(Stage.Name)));
        Assert.NotNull(VolumeLookup.ReleasedAt(Volume(stage)!.Metadata));
        return stage;
    }

    private static PersistentVolumeClaim? Volume(Stage stage) => stage.Api.Get<PersistentVolumeClaim>(SimulatedPeople.Key(Stage.Name));

    private static BerthPolicy Policy => new()
    {
        Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName },
        Spec = new BerthPolicySpec { Storage = new PolicyStorage { UndeleteSeconds = (long)Window.TotalSeconds } },
    };
}
