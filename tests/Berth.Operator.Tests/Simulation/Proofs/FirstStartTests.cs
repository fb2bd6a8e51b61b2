using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>What the first start of a workspace costs, and that what makes it cheap takes nothing from anybody.</summary>
public sealed class FirstStartTests
{
    private static readonly ObjectMeta Named = new() { Name = Stage.Name, Namespace = SimulatedPeople.Ns };

    private static readonly Dictionary<string, Action<SimulatedApi>> Others = new(StringComparer.Ordinal)
    {
        ["NetworkPolicy"] = static api => api.Add(new NetworkPolicy { Metadata = Named }),
        ["PersistentVolumeClaim"] = static api => api.Add(new PersistentVolumeClaim { Metadata = Named }),
        ["Service"] = static api => api.Add(new Service { Metadata = Named }),
        ["Middleware"] = static api => api.Add(
            new Middleware { Metadata = Named with { Name = Stage.Name + "-headers" }, Spec = new MiddlewareSpec() }),
        ["IngressRoute"] = static api => api.Add(new IngressRoute { Metadata = Named, Spec = new IngressRouteSpec { Routes = [] } }),
        ["Pod"] = static api => api.Add(new Pod { Metadata = Named }),
    };

    public static TheoryData<string> Kinds() => [.. Others.Keys];

    [Fact]
    public void FirstStart_NothingInTheWay_CostsNoRead_AndAWriteForEachChild()
    {
        using var stage = WithoutPools();
        var (reads, writes) = Start(stage);
        Assert.Empty(reads);
        Assert.Equal(
            [
                // The edge sets the label when it makes a workspace.
                "patch userworkspaces ws-a",
                "apply networkpolicies ws-a", "apply persistentvolumeclaims ws-a", "apply services ws-a",
                "apply middlewares ws-a-headers", "apply middlewares ws-a-auth", "apply ingressroutes ws-a",
                "create pods ws-a", "status userworkspaces ws-a",
            ],
            writes);

        List<Request> sent = [];
        stage.Operator.Wire.Sending = sent.Add;
        stage.Run();
        Assert.Equal(WorkspacePhases.Running, stage.Workspace.Status!.Phase);
        Assert.Equal(["apply ingressroutes ws-a", "status userworkspaces ws-a"], sent.Select(r => r.ToString()));
    }

    [Fact]
    public void FirstStart_ANamespaceWithPools_LooksForAPodThatWasClaimed_AndForNothingElse()
    {
        using var stage = new Stage();
        stage.Run();
        Assert.Equal(["get pods ws-a", "list pods "], Start(stage).Reads);
    }

    [Fact]
    public void FirstStart_AServerThatCannotGuardServices_LooksBeforeItMakesThem_AndIsAskedOnlyOnce()
    {
        using var stage = WithoutPools();
        stage.Api.IsOld = true;
        var (reads, writes) = Start(stage);
        Assert.Equal(["get services ws-a"], reads);
        Assert.Equal(2, writes.Count(w => w == "apply services ws-a"));
        Assert.NotNull(stage.Api.Get<Service>(stage.Workspace.Key()));

        (reads, writes) = Start(stage, "ws-b");
        Assert.Equal(["get services ws-b"], reads);
        Assert.Single(writes, "apply services ws-b");

        stage.Api.Add(new Service { Metadata = Named with { Name = "ws-c" } });
        var others = stage.Api.Get<Service>(SimulatedPeople.Key("ws-c"))!;
        Start(stage, "ws-c");
        Assert.Equal(others.Metadata.ResourceVersion, stage.Api.Get<Service>(SimulatedPeople.Key("ws-c"))!.Metadata.ResourceVersion);
    }

    [Fact]
    public void FirstStart_AServerThatFindsAConflictWithNothing_MakesItWithoutTheVersion()
    {
        using var stage = WithoutPools();
        var refused = false;
        stage.Plan = r => !refused && (refused = r.ToString() == "apply services ws-a") ? Fate.Conflict : Fate.Answered;
        var (reads, writes) = Start(stage);
        Assert.Equal(["get services ws-a", "get services ws-a"], reads);
        Assert.Equal(2, writes.Count(w => w == "apply services ws-a"));
        Assert.NotNull(stage.Api.Get<Service>(stage.Workspace.Key()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void FirstStart_OnSuchAServer_SomethingOfTheNameIsOthers_ItIsNotTouched(string kind) => LeavesAlone(kind, isOld: true);

    [Theory]
    [MemberData(nameof(Kinds))]
    public void FirstStart_SomethingOfTheNameIsOthers_ItIsNotTouched_AndSaid(string kind) => LeavesAlone(kind, isOld: false);

    private static void LeavesAlone(string kind, bool isOld)
    {
        using var stage = WithoutPools();
        stage.Api.IsOld = isOld;
        Others[kind](stage.Api);
        var before = Assert.Single(stage.Api.Everything(), r => r.Kind.Kind == kind).Json.ToJsonString();
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.RunAlone();
        Assert.Equal(before, stage.Api.Everything().Single(r => r.Kind.Kind == kind && r.Key.Name.StartsWith(Stage.Name, StringComparison.Ordinal)
            && !r.Key.Name.EndsWith("-auth", StringComparison.Ordinal)).Json.ToJsonString());
        Assert.Contains(stage.Workspace.Status!.Conditions!, c => c is { Status: "False", Reason: Reasons.NameClash });

        // No pod on a volume, or behind a policy, that is not the workspace's.
        Assert.Equal(
            kind is "Service" or "Middleware" or "IngressRoute",
            stage.Api.Get<Pod>(stage.Workspace.Key()) is { } pod && Children.Owns(stage.Workspace, pod.Metadata));

        // The others are there, and another look at what is known costs no write.
        Assert.Equal(
            new[] { "IngressRoute", "NetworkPolicy", "PersistentVolumeClaim", "Service" }.Where(k => k != kind),
            stage.Api.Everything().Where(r => r.Key == stage.Workspace.Key() && r.Json["metadata"]!["labels"]?[Labels.Workspace] is not null
                && r.Kind.Kind is not ("Pod" or "UserWorkspace")).Select(r => r.Kind.Kind).Order());
        var writes = stage.Operator.Wire.Writes;
        stage.Operator.Poke(0, stage.Workspace.Key());
        stage.RunAlone();
        Assert.Equal(writes, stage.Operator.Wire.Writes);
    }

    [Theory]
    [InlineData("apply networkpolicies ws-a")]
    [InlineData("apply persistentvolumeclaims ws-a")]
    public void FirstStart_TheApiRefusesWhatThePodNeeds_ThereIsNoPod_AndTheRestIsMade(string refused)
    {
        using var stage = WithoutPools();
        stage.Plan = r => r.ToString() == refused ? Fate.Refused : Fate.Answered;
        stage.People.Create(Stage.Name, 0, 0, delete: false);
        stage.RunAlone();
        Assert.Null(stage.Api.Get<Pod>(stage.Workspace.Key()));
        Assert.NotNull(stage.Api.Get<Service>(stage.Workspace.Key()));
        Assert.NotNull(stage.Api.Get<IngressRoute>(stage.Workspace.Key()));
        Assert.Contains(stage.Workspace.Status!.Conditions!, c => c is { Status: "False", Reason: Reasons.Refused }
            && c.Message!.Contains("an admission policy of the simulation says no", StringComparison.Ordinal));

        stage.Plan = static _ => Fate.Answered;
        stage.Run();
        Assert.Equal(WorkspacePhases.Running, stage.Workspace.Status!.Phase);
    }

    [Fact]
    public void FieldsOfAChildThatWasMade_LeaveItWithTheBlueprint()
    {
        using var stage = WithoutPools();
        Start(stage);
        var key = stage.Workspace.Key();
        var made = stage.Api.Get<Service>(key)!;
        stage.Api.Apply(
            Service.Descriptor,
            SimulatedApi.ToJson(new Service { Metadata = Named, Spec = new ServiceSpec { Type = made.Spec!.Type } }),
            force: true,
            null,
            WorkspaceReconciler.FieldManager);
        var bare = stage.Api.Get<Service>(key)!;
        Assert.Null(bare.Metadata.Labels);
        Assert.Null(bare.Spec!.Ports);
    }

    [Fact]
    public void PodThatNobodyHasLookedAt_ItsEventsAreNotListed()
    {
        using var stage = WithoutPools();
        Start(stage);
        Assert.Empty(ListsIn(stage, TimeSpan.FromMinutes(9)));
    }

    [Fact]
    public void PodThatWaitsForANode_IsLookedAt_LessAndLessOften()
    {
        using var stage = WithoutPools();
        Start(stage);
        stage.Api.Update<Pod>(stage.Workspace.Key(), p => p with
        {
            Status = new PodStatus
            {
                Phase = "Pending",
                Conditions = [new Condition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable" }],
            },
        }, "status");
        var first = ListsIn(stage, TimeSpan.FromMinutes(1)).Count;
        var all = first + ListsIn(stage, TimeSpan.FromMinutes(29)).Count;
        Assert.InRange(first, 4, 8);

        // Those of the pod and those of its volume, each two minutes at the least.
        Assert.InRange(all, 2 * 14, 2 * 22);
    }

    private static List<Request> ListsIn(Stage stage, TimeSpan time)
    {
        List<Request> sent = [];
        stage.Operator.Wire.Sending = r =>
        {
            if (r is { Verb: "list", Kind.Kind: "Event" })
            {
                sent.Add(r);
            }
        };
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            stage.Time.Advance(TimeSpan.FromSeconds(1));
            stage.RunAlone();
        }

        return sent;
    }

    private static Stage WithoutPools()
    {
        var stage = new Stage();
        stage.Api.Delete(WorkspaceTemplate.Descriptor, SimulatedPeople.Key("pooled"), null);
        stage.Run();
        Assert.Empty(stage.Api.All<Pod>());
        return stage;
    }

    private static (List<string> Reads, List<string> Writes) Start(Stage stage, string name = Stage.Name)
    {
        List<Request> sent = [];
        stage.Operator.Wire.Sending = sent.Add;
        stage.People.Create(name, 0, 0, delete: false);
        stage.RunAlone();
        Assert.Equal(WorkspacePhases.Starting, stage.People.Find(name)!.Status!.Phase);
        return (Told(r => !r.IsWrite), Told(r => r.IsWrite));

        List<string> Told(Func<Request, bool> which) => [.. sent.Where(which).Select(r => r.ToString())];
    }
}
