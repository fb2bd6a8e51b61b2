using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>What becomes of a pool, case by case.</summary>
public sealed class PoolPlanTests
{
    private const string Current = "r2";
    private static readonly DateTimeOffset Now = TestData.Now;
    private static readonly Dictionary<string, string> Identity = new() { [Annotations.Identity] = "ws-ada/abc" };
    private static readonly PoolMemory Fresh = new() { Since = Now - TimeSpan.FromHours(1) };
    private static readonly PoolWish Wish = new() { Size = 3, Revision = Current, RefillPerMinute = 100 };

    // Pods by a letter each: r ready, s starting, u without a node, f failed, n node restarted, i image cannot be pulled; capitals are of
    // an earlier revision; a aged and ready; c claimed; d being deleted.
    [Theory]
    [InlineData("", 3, "")]
    [InlineData("rrr", 0, "")]
    [InlineData("rr", 1, "")]
    [InlineData("rs", 1, "")]
    [InlineData("uuu", 0, "")]
    [InlineData("ccc", 3, "")]
    [InlineData("rrd", 1, "")]
    [InlineData("rrrr", 0, "r")]
    [InlineData("rrrs", 0, "s")]

    // Rolled one by one: an old one goes when its successor is ready.
    [InlineData("RRR", 1, "")]
    [InlineData("RRRs", 0, "")]
    [InlineData("RRRr", 1, "R")]
    [InlineData("RRrr", 1, "R")]
    [InlineData("Rrrr", 0, "R")]
    [InlineData("aaa", 1, "")]
    [InlineData("aaas", 0, "")]
    [InlineData("aaar", 1, "a")]

    // What never ran and is of an earlier revision serves nothing.
    [InlineData("III", 3, "III")]
    [InlineData("RRF", 2, "F")]

    // The node keeps trying, so more of the same would not help.
    [InlineData("i", 0, "")]
    [InlineData("iii", 0, "")]
    [InlineData("ri", 1, "")]

    // Went down with its node, which is no fault of the template.
    [InlineData("nnn", 3, "nnn")]
    [InlineData("rn", 2, "n")]

    // Ended: it stays until the pause is over, and nothing is made before.
    [InlineData("f", 0, "")]
    [InlineData("rrf", 0, "")]
    public void Make_PodsAsTheyAre_MakesAndDeletes(string pods, int create, string deleted)
    {
        var all = Pods(pods);
        var plan = PoolPlan.Make(Wish, all, [], Fresh, Now);
        Assert.Equal(create, plan.Create);
        Assert.Equal(deleted, string.Concat(plan.Delete.Select(p => p.Metadata.Name![..1])));
    }

    [Fact]
    public void Make_PodsEnded_OneIsTriedAfterGrowingPauses()
    {
        var pods = Pods("fff");
        var memory = Fresh;
        var now = Now;
        foreach (var pause in (int[])[10, 20, 40, 80, 160, 300, 300])
        {
            var waits = PoolPlan.Make(Wish, pods, [], memory, now);
            Assert.Equal((0, 0), (waits.Create, waits.Delete.Length));
            Assert.Equal(now + TimeSpan.FromSeconds(pause), waits.Memory.NextTryAt);
            Assert.Equal(waits.Memory.NextTryAt, waits.LookAgainAt);
            now += TimeSpan.FromSeconds(pause);
            var tries = PoolPlan.Make(Wish, pods, [], waits.Memory, now);
            Assert.Equal((1, 1), (tries.Create, tries.Delete.Length));
            memory = tries.Memory;
        }

        var good = PoolPlan.Make(Wish, Pods("r"), [], memory, now + TimeSpan.FromMinutes(2));
        Assert.Equal((0, 2), (good.Memory.Failures, good.Create));
    }

    [Fact]
    public void Make_LateOnes_AreFailures_WhereTheyHaveANode()
    {
        var plan = PoolPlan.Make(Wish, Pods("ssu"), [], Fresh, Now + TimeSpan.FromMinutes(15));
        Assert.Equal(2, plan.Failing.Length);
        Assert.Equal(0, plan.Create);
    }

    [Fact]
    public void Make_RefillRate_BoundsWhatIsMadeInAMinute_AlsoWithWhatWasClaimedMeanwhile()
    {
        var wish = Wish with { Size = 10, RefillPerMinute = 4 };
        var first = PoolPlan.Make(wish, [], [], Fresh, Now);
        Assert.Equal(4, first.Create);
        var second = PoolPlan.Make(wish, [], [], first.Memory, Now + TimeSpan.FromSeconds(59));
        Assert.Equal(0, second.Create);
        Assert.Equal(Now + TimeSpan.FromSeconds(60), second.LookAgainAt);
        Assert.Equal(4, PoolPlan.Make(wish, [], [], second.Memory, Now + TimeSpan.FromSeconds(60)).Create);

        // After a restart of the operator the pods themselves say when they were made, claimed or not.
        var forgotten = new PoolMemory { Since = Now + TimeSpan.FromSeconds(1) };
        Assert.Equal(1, PoolPlan.Make(wish, Pods("ccs", Now), [], forgotten, Now + TimeSpan.FromSeconds(2)).Create);
    }

    [Fact]
    public void Make_ClaimsWithoutAPod_GoAfterAWhile_NeverThoseOfPeople()
    {
        var pods = Pods("rcd");
        PersistentVolumeClaim[] claims =
        [
            .. pods.Select(p => Claim(p.Metadata.Name!)),
            Claim("orphan"), Claim("young", age: TimeSpan.FromSeconds(30)), Claim("taken", claimed: true),
        ];
        var plan = PoolPlan.Make(Wish, pods, claims, Fresh, Now);
        Assert.Equal(["orphan"], plan.DeleteClaims.Select(c => c.Metadata.Name));
        Assert.Equal(Now + TimeSpan.FromSeconds(30), plan.LookAgainAt);
        var none = PoolPlan.Make(new PoolWish { Size = 0 }, pods, claims, Fresh, Now);
        Assert.Equal(["orphan"], none.DeleteClaims.Select(c => c.Metadata.Name));

        // Somebody took the labels away: the annotation still says that it holds a person's files.
        var unlabelled = Claim("files") with { Metadata = Claim("files").Metadata with { Annotations = Identity } };
        Assert.Empty(PoolPlan.Make(Wish, pods, [unlabelled], Fresh, Now).DeleteClaims);
    }

    [Fact]
    public void Make_NoPoolWanted_AllThatWaitGo_WhatIsClaimedStays()
    {
        var plan = PoolPlan.Make(new PoolWish { Size = 0 }, Pods("rsRficd"), [], Fresh, Now);
        Assert.Equal("rsRfi", string.Concat(plan.Delete.Select(p => p.Metadata.Name![..1])));
        Assert.Equal(0, plan.Create);
    }

    [Theory]
    [InlineData(0, false, false, 0)]
    [InlineData(3, false, false, 3)]
    [InlineData(3, true, false, 0)]
    [InlineData(3, false, true, 0)]
    public void Wish_OfATemplate_IsNoneWhereItIsRetiredGoneOrUnusable(int size, bool retired, bool deleted, int expected)
    {
        var template = TestData.Template(s => s with
        {
            WarmPool = new TemplateWarmPool { Size = size },
            Retired = retired ? new TemplateRetirement() : null,
        });
        template = template with { Metadata = template.Metadata with { DeletionTimestamp = deleted ? Now : null } };
        var (blueprint, _) = PoolBlueprint.For(template, TestData.Settings);
        Assert.Equal(expected, PoolWish.Of(template, blueprint).Size);
        Assert.Equal(0, PoolWish.Of(template, null).Size);
        Assert.Equal(Math.Min(expected, 2), PoolWish.Of(template, blueprint, room: 2).Size);
        Assert.Equal(0, PoolWish.Of(template, blueprint, room: -1).Size);
        Assert.Equal(0, PoolWish.Of(null, blueprint).Size);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Make_AnythingThatHappens_KeepsItsPromises(int seed)
    {
        var world = new PoolWorld(seed);
        for (var turn = 0; turn < 3000; turn++)
        {
            world.Turn();
        }

        // And when nothing happens any more, the pool is as it should be.
        world.Rest();
    }

    internal static List<Pod> Pods(string letters, DateTimeOffset? made = null) =>
        [.. letters.Select((l, i) => Pod($"{l}-{i}", l, (made ?? Now - TimeSpan.FromMinutes(5)) + TimeSpan.FromMilliseconds(i)))];

    internal static PersistentVolumeClaim Claim(string name, bool claimed = false, TimeSpan? age = null) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name,
            CreationTimestamp = Now - (age ?? TimeSpan.FromHours(1)),
            Labels = new Dictionary<string, string> { [Labels.Pool] = "studio", [claimed ? Labels.Workspace : "x"] = "ws-ada" },
        },
    };

    private static Pod Pod(string name, char state, DateTimeOffset made) => new()
    {
        Metadata = new ObjectMeta
        {
            Name = name,
            CreationTimestamp = state == 'a' ? Now - TimeSpan.FromDays(2) : made,
            DeletionTimestamp = state == 'd' ? Now + TimeSpan.FromSeconds(10) : null,
            Labels = new Dictionary<string, string> { [Labels.Pool] = "studio", [state == 'c' ? Labels.Workspace : "x"] = "ws-ada" },
            Annotations = new Dictionary<string, string> { [Annotations.PoolRevision] = char.IsUpper(state) ? "r1" : Current },
        },
        Spec = new PodSpec { NodeName = state == 'u' ? null : "node1" },
        Status = StatusOf(char.ToLowerInvariant(state)),
    };

    internal static PodStatus StatusOf(char state) => state switch
    {
        'r' or 'a' or 'c' or 'd' => new PodStatus { Phase = "Running", Conditions = [new Condition { Type = "Ready", Status = "True" }] },
        'n' => Broken("Failed", new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = 255, Reason = "Unknown" } }),
        'f' => Broken("Failed", new ContainerState { Terminated = new ContainerStateTerminated { ExitCode = 1, Reason = "Error" } }),
        'i' => Broken("Pending", new ContainerState { Waiting = new ContainerStateWaiting { Reason = "ImagePullBackOff" } }),
        _ => new PodStatus { Phase = "Pending" },
    };

    private static PodStatus Broken(string phase, ContainerState state) =>
        new() { Phase = phase, ContainerStatuses = [new ContainerStatus { Name = "workspace", State = state }] };
}
