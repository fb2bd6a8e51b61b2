using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class SweepPlanTests
{
    private static readonly DateTimeOffset Now = TestData.Now;

    public static TheoryData<string, ObjectMeta, bool, string?> Cases => new()
    {
        { "an orphan", Meta(), false, "Delete" },
        { "of a living workspace by name", Meta("live"), false, null },
        { "of a living uid", Meta() with { OwnerReferences = [new OwnerReference { Uid = "alive" }] }, false, null },
        { "of a dead uid", Meta() with { OwnerReferences = [new OwnerReference { Uid = "dead" }] }, false, "Delete" },
        { "too young", Meta() with { CreationTimestamp = Now.AddSeconds(-599) }, false, null },
        { "without an age", Meta() with { CreationTimestamp = null }, false, null },
        { "being deleted", Meta() with { DeletionTimestamp = Now }, false, null },
        { "not ours", Meta() with { Labels = new Dictionary<string, string> { [Labels.Workspace] = "gone" } }, false, null },
        { "a pool's", Meta() with { Labels = Pooled }, false, null },
        { "on legal hold", Annotated(Annotations.LegalHold, "true"), false, null },
        { "a volume, dry run", Meta(), true, "Report" },
        { "a volume in its undelete window", Annotated(Annotations.ReleasedAt, "2029-12-31T00:00:00Z"), true, null },
        { "a volume with a window nobody can read", Annotated(Annotations.ReleasedAt, "soon"), true, "Report" },
        { "a volume on legal hold", Annotated(Annotations.LegalHold, "true"), true, null },
        { "a volume of a living workspace", Meta("live"), true, null },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Make_Judges(string what, ObjectMeta meta, bool data, string? expected)
    {
        var orphans = Plan(new SweepObject("Thing", meta) { HoldsData = data }, dryRun: true);
        Assert.True(expected == orphans.SingleOrDefault()?.Action.ToString(), what);
    }

    [Fact]
    public void VolumeWithoutDryRun_IsDeleted() =>
        Assert.Equal(SweepAction.Delete, Assert.Single(Plan(new SweepObject("Thing", Meta()) { HoldsData = true }, dryRun: false)).Action);

    [Theory]
    [InlineData(23, false)]
    [InlineData(25, true)]
    public void EdgeLease_GoesADayAfterItsLastWord(int hours, bool goes)
    {
        var lease = new SweepObject("Lease", Meta() with
        {
            Labels = new Dictionary<string, string> { [EdgeLeases.Component] = EdgeLeases.ComponentValue },
        })
        {
            RenewedAt = Now.AddHours(-hours),
        };
        Assert.Equal(goes, Plan(lease, dryRun: true).Length > 0);
    }

    [Fact]
    public void OtherLease_Stays() => Assert.Empty(Plan(new SweepObject("Lease", Meta()) { RenewedAt = Now.AddYears(-1) }, dryRun: false));

    private static System.Collections.Immutable.ImmutableArray<Orphan> Plan(SweepObject obj, bool dryRun) =>
        SweepPlan.Make([obj], u => u == "alive", k => k.Name == "live", TimeSpan.FromMinutes(10), dryRun, Now);

    private static ObjectMeta Meta(string workspace = "gone") => new()
    {
        Name = "x",
        Namespace = "ns",
        CreationTimestamp = Now.AddDays(-30),
        Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.Workspace] = workspace },
    };

    private static Dictionary<string, string> Pooled => new() { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.Pool] = "p" };

    private static ObjectMeta Annotated(string name, string value) =>
        Meta() with { Annotations = new Dictionary<string, string> { [name] = value } };
}
