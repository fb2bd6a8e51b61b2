using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Activity;

/// <summary>Writing use and signs of life, beat by beat, with everything that can go wrong in between.</summary>
public class ActivityServiceTests
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(EdgeLeases.RenewSeconds);

    [Fact]
    public async Task Beat_NothingUsed_LeaseAndNoOtherWrite()
    {
        await using var bench = await ActivityBench.StartAsync();

        for (var i = 0; i < 5; i++)
        {
            await bench.BeatAsync();
            bench.Clock.Advance(Beat);
        }

        Assert.Empty(bench.Kube.Writes);
        var lease = bench.Renewed!;
        Assert.Equal(EdgeLeases.ComponentValue, lease.Metadata.Labels![EdgeLeases.Component]);
        Assert.Equal(ProductFixture.Namespace, lease.Metadata.Annotations![EdgeLeases.WorkspaceNamespace]);
        Assert.Equal((30, "2030-01-01T00:00:40Z"), (lease.Spec!.LeaseDurationSeconds, ActivityPlan.Text(lease.Spec.RenewTime!.Value)));
        Assert.Equal("2030-01-01T00:00:40Z", bench.WrittenUntil);
        Assert.StartsWith("berth-edge-activity-", lease.Metadata.Name, StringComparison.Ordinal);
    }

    // The metric of a silent replica counts from here.
    [Fact]
    public async Task Beat_LeaseCannotBeRenewed_TheLastRenewalStands()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.BeatAsync();
        var renewed = bench.Clock.GetUtcNow();
        bench.Kube.Fail = (_, kind) => kind == "leases" ? FakeKube.Error(500, "InternalError", "no") : null;
        bench.Clock.Advance(Beat);
        await bench.BeatAsync();
        Assert.Equal(renewed, bench.Lease.RenewedAt);

        bench.Kube.Fail = (_, _) => null;
        await bench.BeatAsync();

        Assert.Equal(bench.Clock.GetUtcNow(), bench.Lease.RenewedAt);
    }

    // 30 minutes: one write for five minutes of use, however much there is.
    [Fact]
    public async Task Beat_UsedForTwentyMinutes_FiveWrites()
    {
        await using var bench = await ActivityBench.StartAsync();

        for (var i = 0; i <= 120; i++)
        {
            bench.Use();
            await bench.BeatAsync();
            await bench.SeenAsync();
            bench.Clock.Advance(Beat);
        }

        Assert.Equal(Enumerable.Repeat("patch userworkspaces", 5), bench.Kube.Writes);
        Assert.Equal(("2030-01-01T00:20:00Z", "Message"), (ActivityPlan.Text(bench.Written!.Last!.Value), bench.Written.Source));
    }

    // The watch may lag behind the write; it is not written twice for that.
    [Fact]
    public async Task Beat_OwnWriteNotSeenYet_NoSecondWrite()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        bench.Kube.Fail = (verb, _) => verb is "watch" or "list" ? FakeKube.Error(500, "InternalError", "no") : null;
        bench.Kube.CutWatches("userworkspaces");

        await bench.BeatAsync();
        await bench.BeatAsync();

        Assert.Equal(["patch userworkspaces"], bench.Kube.Writes);
    }

    [Fact]
    public async Task Beat_AWriteFails_TheLeaseDoesNotClaimItUntilItIsDone()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.BeatAsync();
        bench.Use();
        bench.Clock.Advance(Beat);
        bench.Kube.Fail = NoWrites;

        await bench.BeatAsync();
        var (claim, renewed) = (bench.WrittenUntil, bench.Renewed!.Spec!.RenewTime);
        bench.Clock.Advance(Beat);
        bench.Kube.Fail = (_, _) => null;
        await bench.BeatAsync();

        Assert.Equal(("2030-01-01T00:00:00Z", "2030-01-01T00:00:10Z"), (claim, ActivityPlan.Text(renewed!.Value)));
        Assert.Equal("2030-01-01T00:00:20Z", bench.WrittenUntil);
        Assert.Equal("2030-01-01T00:00:00Z", ActivityPlan.Text(bench.Written!.Last!.Value));
    }

    [Fact]
    public async Task Beat_WatchIsCut_TheLeaseIsRenewedAndClaimsNothingNew()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.BeatAsync();
        bench.Kube.Fail = (verb, plural) =>
            verb is "watch" or "list" && plural == "userworkspaces" ? FakeKube.Error(500, "InternalError", "no") : null;
        bench.Kube.CutWatches("userworkspaces");
        await ProductFixture.Until(() => bench.Watch.LastContact is null);
        bench.Clock.Advance(Beat);

        await bench.BeatAsync();

        Assert.Equal(("2030-01-01T00:00:00Z", "2030-01-01T00:00:10Z"),
            (bench.WrittenUntil, ActivityPlan.Text(bench.Renewed!.Spec!.RenewTime!.Value)));
    }

    // A connection that looks open and brings nothing, not even the bookmark of each minute.
    [Fact]
    public async Task Beat_WatchIsSilentForTooLong_ClaimsNothingNew()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.BeatAsync();
        bench.Clock.Advance(LeaseClaim.Silence);
        await bench.BeatAsync();
        var last = bench.WrittenUntil;
        bench.Clock.Advance(Beat);

        await bench.BeatAsync();

        Assert.Equal(("2030-01-01T00:01:20Z", "2030-01-01T00:01:20Z"), (last, bench.WrittenUntil));
    }

    [Fact]
    public async Task Beat_LeaseIsTakenAway_IsMadeAnew()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.BeatAsync();
        bench.Kube.Remove<Lease>(bench.Lease.Name);
        bench.Clock.Advance(Beat);

        await bench.BeatAsync();

        Assert.Equal("2030-01-01T00:00:10Z", ActivityPlan.Text(bench.Renewed!.Spec!.RenewTime!.Value));
    }

    // What a killed replica left goes after an hour; one that may come back, and a Lease of something else, stay.
    [Fact]
    public async Task Beat_OldLeases_AreClearedAway()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Kube.Put(Left("dead", TimeSpan.FromMinutes(61), EdgeLeases.ComponentValue));
        bench.Kube.Put(Left("silent", TimeSpan.FromMinutes(59), EdgeLeases.ComponentValue));
        bench.Kube.Put(Left("other", TimeSpan.FromMinutes(61), "something"));

        await bench.BeatAsync();

        Assert.Null(bench.Kube.Find<Lease>("dead"));
        Assert.NotNull(bench.Kube.Find<Lease>("silent"));
        Assert.NotNull(bench.Kube.Find<Lease>("other"));
        Lease Left(string name, TimeSpan ago, string component) => new()
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = ProductFixture.Namespace,
                Labels = new Dictionary<string, string> { [EdgeLeases.Component] = component },
            },
            Spec = new LeaseSpec { RenewTime = bench.Clock.GetUtcNow() - ago },
        };
    }

    // Without the right to list, old ones stay and everything else works.
    [Fact]
    public async Task Beat_LeastRights_LeaseIsKept()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Kube.Fail = (verb, plural) => (verb, plural) is ("list", "leases") ? FakeKube.Error(403, "Forbidden", "no") : null;
        bench.Use();

        await bench.BeatAsync();
        bench.Clock.Advance(Beat);
        await bench.BeatAsync();

        Assert.Equal("2030-01-01T00:00:10Z", bench.WrittenUntil);
        Assert.NotNull(bench.Written!.Last);
    }

    // Use that would not have been written for minutes is written the moment a stop is announced: that is the veto.
    [Fact]
    public async Task Announced_LaterUseIsKnown_IsWrittenAtOnce()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        await bench.BeatAsync();
        bench.Clock.Advance(TimeSpan.FromSeconds(100));
        bench.Use(UseSource.Request);
        await bench.BeatAsync();
        Assert.Equal("2030-01-01T00:00:00Z", ActivityPlan.Text(bench.Written!.Last!.Value));
        await bench.Service.StartAsync(default);

        await bench.AnnounceAsync();

        await ProductFixture.Until(() => bench.Written!.Source == "Request");
        Assert.Equal("2030-01-01T00:01:40Z", ActivityPlan.Text(bench.Written!.Last!.Value));
        Assert.NotNull(bench.Written.StopsAt);
        await bench.Service.StopAsync(default);
    }

    [Fact]
    public async Task Announced_ThenUsed_IsWrittenWithoutWaitingForTheBeat()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        await bench.BeatAsync();
        await bench.Service.StartAsync(default);
        bench.Clock.Advance(TimeSpan.FromSeconds(1500));
        await bench.AnnounceAsync();
        var writes = bench.Kube.Writes.Count;
        bench.Clock.Advance(TimeSpan.FromSeconds(3));

        bench.Use();

        await ProductFixture.Until(() => bench.Kube.Writes.Count > writes);
        Assert.Equal("2030-01-01T00:25:03Z", ActivityPlan.Text(bench.Written!.Last!.Value));
        await bench.Service.StopAsync(default);
    }

    [Fact]
    public async Task Announced_NothingLaterIsKnown_WritesNothing()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        await bench.BeatAsync();
        await bench.AnnounceAsync();
        bench.Kube.Writes.Clear();

        await bench.BeatAsync();
        bench.Clock.Advance(Beat);
        await bench.BeatAsync();

        Assert.Empty(bench.Kube.Writes);
        Assert.Equal("2030-01-01T00:00:10Z", bench.WrittenUntil);
    }

    // Another replica wrote later use, and this one's watch has not brought it: a patch without a version would take it back.
    [Fact]
    public async Task Write_AnotherReplicaKnowsBetter_IsNotTakenBack()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        bench.Clock.Advance(TimeSpan.FromMinutes(7));
        bench.Kube.Fail = (verb, _) => verb is "watch" or "list" ? FakeKube.Error(500, "InternalError", "no") : null;
        bench.Kube.CutWatches("userworkspaces");
        var now = bench.Kube.Find<UserWorkspace>(ActivityBench.Name)!;
        bench.Kube.Put(now with { Status = new() { Activity = new() { Last = bench.Clock.GetUtcNow(), Source = "Upload" } } });

        await bench.BeatAsync();

        Assert.Equal(("2030-01-01T00:07:00Z", "Upload"), (ActivityPlan.Text(bench.Written!.Last!.Value), bench.Written.Source));
    }

    [Fact]
    public async Task Write_TheOperatorWroteMeanwhile_BothStand()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        bench.Kube.Fail = (verb, _) => verb is "watch" or "list" ? FakeKube.Error(500, "InternalError", "no") : null;
        bench.Kube.CutWatches("userworkspaces");
        var now = bench.Kube.Find<UserWorkspace>(ActivityBench.Name)!;
        bench.Kube.Put(now with { Status = new() { Phase = WorkspacePhases.Running, Activity = new() { KeptBy = "In use." } } });

        await bench.BeatAsync();

        Assert.Equal((WorkspacePhases.Running, "In use.", "Message"),
            (bench.Kube.Find<UserWorkspace>(ActivityBench.Name)!.Status!.Phase, bench.Written!.KeptBy, bench.Written.Source));
    }

    [Fact]
    public async Task Write_WorkspaceIsGone_IsForgotten()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Use();
        bench.Kube.Fail = (verb, _) => verb is "watch" or "list" ? FakeKube.Error(500, "InternalError", "no") : null;
        bench.Kube.CutWatches("userworkspaces");
        bench.Kube.Remove<UserWorkspace>(ActivityBench.Name);

        await bench.BeatAsync();

        Assert.Empty(bench.Table.All);
        Assert.NotNull(bench.Renewed);
    }

    [Fact]
    public async Task Stop_Orderly_WritesEverythingAndTakesTheLeaseAway()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.Service.StartAsync(default);
        bench.Use();
        await ProductFixture.Until(() => bench.Renewed is not null);
        await bench.BeatAsync();
        bench.Clock.Advance(TimeSpan.FromSeconds(1));
        bench.Use(UseSource.Request);

        await bench.Service.StopAsync(new CancellationToken(canceled: true));

        Assert.Equal(("2030-01-01T00:00:01Z", "Request"), (ActivityPlan.Text(bench.Written!.Last!.Value), bench.Written.Source));
        Assert.Null(bench.Renewed);
    }

    // What it knew is lost: its Lease stays, and the operator waits for a replica that does not answer.
    [Fact]
    public async Task Stop_LastWordsCannotBeWritten_TheLeaseStays()
    {
        await using var bench = await ActivityBench.StartAsync();
        await bench.BeatAsync();
        bench.Use();
        bench.Kube.Fail = NoWrites;

        await bench.Service.StopAsync(default);

        Assert.NotNull(bench.Renewed);
    }

    [Fact]
    public async Task Policy_Readable_DecidesHowOftenIsWritten()
    {
        await using var bench = await ActivityBench.StartAsync();
        bench.Kube.Put(new BerthPolicy
        {
            Metadata = new ObjectMeta { Name = BerthPolicy.DefaultName },
            Spec = new BerthPolicySpec { Lifetime = new PolicyLifetime { IdleTimeoutSeconds = 60 } },
        });
        bench.Use();
        await bench.BeatAsync();
        await bench.SeenAsync();
        bench.Clock.Advance(Beat);
        bench.Use();

        await bench.BeatAsync();

        Assert.Equal("2030-01-01T00:00:10Z", ActivityPlan.Text(bench.Written!.Last!.Value));
    }

    private static KubeException? NoWrites(string verb, string plural) =>
        (verb, plural) == ("patch", "userworkspaces") ? FakeKube.Error(500, "InternalError", "no") : null;
}
