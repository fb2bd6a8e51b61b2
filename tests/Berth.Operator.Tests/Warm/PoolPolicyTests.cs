using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// The network policy of a pool's waiting pods: there as long as there may be such a pod, and gone when there is none and none is wanted.
/// </summary>
public sealed class PoolPolicyTests
{
    private static readonly ResourceKey Template = new(TestData.Ns, "pooled");
    private static readonly ResourceKey Policy = new(TestData.Ns, PoolBlueprint.PolicyPrefix + Template.Name);

    [Fact]
    public void Reconcile_PoolIsWantedButThereIsNoRoom_ThePolicyStays()
    {
        using var stage = Filled();
        stage.People.ChangeCeilings(0, 1);
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.Run();
        Assert.Empty(Waiting(stage));
        Assert.NotNull(stage.Api.Get<NetworkPolicy>(Policy));
    }

    [Fact]
    public void PolicyChanged_ThePoolIsLookedAt_AndNobodyElseIsNeeded()
    {
        using var stage = Filled();
        stage.People.ChangeCeilings(0, 1);
        stage.RunAlone();
        Assert.Single(stage.Api.All<Pod>(), p => p.Metadata.DeletionTimestamp is not null);

        // A pod and its volume for the one that may run; and all again when nothing is bounded any more.
        stage.Run();
        Assert.Equal(2, Waiting(stage).Count);
        stage.People.ChangeCeilings(0, 0);
        stage.Time.Advance(TimeSpan.FromSeconds(1));
        stage.RunAlone();
        Assert.Equal(4, Waiting(stage).Count);
    }

    [Fact]
    public void UnderACeiling_WorkspaceThatStartsCold_FewerWait_AndMoreWhenItStops()
    {
        using var stage = Filled();
        stage.People.ChangeCeilings(0, 2);
        stage.Run();
        Assert.Equal(4, Waiting(stage).Count);
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.Run();
        Assert.Equal(2, Waiting(stage).Count);
        stage.People.Wish(Stage.Name, DesiredStates.Stopped);
        stage.Run();
        Assert.Equal(4, Waiting(stage).Count);
    }

    [Fact]
    public void Reconcile_NoPoolIsWantedAndAPodDoesNotEnd_ThePolicyStaysUntilItHas_AndNobodyIsAskedMeanwhile()
    {
        using var stage = Filled();
        var lists = 0;
        stage.Plan = request =>
        {
            lists += request.Verb == "list" ? 1 : 0;
            return Fate.Answered;
        };
        stage.Cluster.Lose(stage.Cluster.Pods[0].Spec!.NodeName!, powerOff: false);
        Drop(stage);
        stage.Time.Advance(TimeSpan.FromMinutes(5));
        stage.Run();
        Assert.All(stage.Api.All<Pod>(), p => Assert.NotNull(p.Metadata.DeletionTimestamp));
        Assert.Equal(2, stage.Api.All<Pod>().Count);
        Assert.NotNull(stage.Api.Get<NetworkPolicy>(Policy));
        Assert.Equal(0, lists);

        stage.Cluster.ReturnAll();
        stage.Time.Advance(TimeSpan.FromMinutes(5));
        stage.Run();
        Assert.Empty(Waiting(stage));
        Assert.Null(stage.Api.Get<NetworkPolicy>(Policy));
    }

    [Fact]
    public void Reconcile_NoPoolIsWantedAndItsVolumesAreThere_ThePolicyGoesAfterThem()
    {
        using var stage = Filled();
        var left = LeftWhenItGoes(stage);
        Drop(stage);
        stage.Run();
        Assert.Empty(Assert.Single(left));
    }

    /// <summary>What an operator that led before made last is in no cache yet when this one looks.</summary>
    [Theory]
    [InlineData("PersistentVolumeClaim")]
    [InlineData("Pod")]
    public void Reconcile_NoPoolIsWantedAndNewsOfAnObjectIsLate_ThePolicyStays(string kind)
    {
        using var stage = Filled();
        var claim = stage.Api.All<PersistentVolumeClaim>()[0];
        var pod = stage.Cluster.Pods[0];
        var late = 0;
        stage.Plan = request =>
        {
            if (request is { Verb: "list" } && request.Kind.Kind == kind && ++late == 1)
            {
                stage.Api.Add(claim with { Metadata = New(claim.Metadata) });
                if (kind == "Pod")
                {
                    stage.Api.Add(pod with { Metadata = New(pod.Metadata), Status = null });
                }
            }

            return Fate.Answered;
        };
        var left = LeftWhenItGoes(stage);
        Drop(stage);
        stage.Run();
        Assert.True(late > 1, "Nobody looked behind the caches, or only once.");
        Assert.Empty(Assert.Single(left));
    }

    private static Stage Filled()
    {
        var stage = new Stage();
        stage.Api.Add(new BerthPolicy { Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName }, Spec = new BerthPolicySpec() });
        stage.Run();
        Assert.Equal(4, Waiting(stage).Count);
        Assert.NotNull(stage.Api.Get<NetworkPolicy>(Policy));
        return stage;
    }

    private static void Drop(Stage stage) =>
        stage.Api.Update<WorkspaceTemplate>(Template, t => t with { Spec = t.Spec with { WarmPool = new TemplateWarmPool { Size = 0 } } });

    /// <summary>Pods and claims of the pool that nobody has claimed.</summary>
    private static List<string> Waiting(Stage stage) =>
    [
        .. stage.Api.All<Pod>().Select(p => p.Metadata).Concat(stage.Api.All<PersistentVolumeClaim>().Select(c => c.Metadata))
            .Where(m => m.Labels?.ContainsKey(Labels.Pool) == true && !PoolPods.IsClaimed(m))
            .Select(m => m.Name!),
    ];

    /// <summary>What waits at each time at which the policy is deleted.</summary>
    private static List<List<string>> LeftWhenItGoes(Stage stage)
    {
        var left = new List<List<string>>();
        stage.Api.Changed += change =>
        {
            if (change is { Now: null } && change.Last.Kind == NetworkPolicy.Descriptor && change.Last.Key == Policy)
            {
                left.Add(Waiting(stage));
            }
        };
        return left;
    }

    private static ObjectMeta New(ObjectMeta metadata) => metadata with
    {
        Name = "pool-pooled-late",
        Uid = null,
        ResourceVersion = null,
        CreationTimestamp = null,
        ManagedFields = null,
        Finalizers = null,
    };
}
