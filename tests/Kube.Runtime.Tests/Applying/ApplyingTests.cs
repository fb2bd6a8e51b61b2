using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Testing;
using static Kube.Runtime.Tests.Fakes.Objects;

namespace Kube.Runtime.Tests.Applying;

public sealed class ApplyingTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, 500, TimeSpan.Zero);
    private readonly FakeKubeClient _client = new();

    [Fact]
    public void ConditionsSet_StatusStays_KeepsTheTransitionTime()
    {
        var one = Conditions.Set(null, "Ready", "False", "Pulling", "image", 1, Now);
        var two = Conditions.Set(one, "Ready", "False", "Starting", "process", 2, Now.AddMinutes(1));
        var three = Conditions.Set(two, "Ready", "True", "Running", "", 2, Now.AddMinutes(2));
        Assert.Equal(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), two[0].LastTransitionTime);
        Assert.Equal(("Starting", "process", 2L), (two[0].Reason, two[0].Message, two[0].ObservedGeneration));
        Assert.Equal(2, three[0].LastTransitionTime!.Value.Minute);
        Assert.True(Conditions.IsTrue(three, "Ready"));
    }

    [Fact]
    public void ConditionsSet_NothingChanges_ReturnsTheSameList()
    {
        var one = Conditions.Set(null, "Ready", "True", "Running", "", 1, Now);
        Assert.Same(one, Conditions.Set(one, "Ready", "True", "Running", "", 1, Now.AddHours(1)));
    }

    [Fact]
    public void ConditionsSet_OtherConditions_KeepTheirPlaces()
    {
        var list = Conditions.Set(Conditions.Set(null, "A", "True", "R", "", 1, Now), "B", "True", "R", "", 1, Now);
        list = Conditions.Set(list, "A", "False", "R", "", 1, Now);
        Assert.Equal(["A", "B"], list.Select(c => c.Type));
        Assert.Equal(["B"], Conditions.Remove(list, "A").Select(c => c.Type));
    }

    [Theory]
    [InlineData("true", "R")]
    [InlineData("True", "")]
    public void ConditionsSet_WhatTheApiWouldRefuse_Throws(string status, string reason) =>
        Assert.ThrowsAny<ArgumentException>(() => Conditions.Set(null, "Ready", status, reason, "", 1, Now));

    [Fact]
    public void SetControllerReference_Owner_IsFoundAgainByKey()
    {
        var owner = Map("owner", "1");
        var child = new Pod { Metadata = OwnerReferences.SetControllerReference(new ObjectMeta { Namespace = "a", Name = "c" }, owner) };
        Assert.Equal(new ResourceKey("a", "owner"), OwnerReferences.ControllerKey<ConfigMap>(child));
        Assert.Null(OwnerReferences.ControllerKey<Secret>(child));
        Assert.True(OwnerReferences.IsControlledBy(child, owner));
        Assert.False(OwnerReferences.IsControlledBy(child, Map("owner", "1", uid: "recreated")));
        Assert.Equal(child.Metadata.OwnerReferences, OwnerReferences.SetControllerReference(child.Metadata, owner).OwnerReferences);
    }

    [Fact]
    public void SetControllerReference_OtherController_Throws()
    {
        var owned = OwnerReferences.SetControllerReference(new ObjectMeta { Namespace = "a", Name = "c" }, Map("one", "1"));
        var e = Assert.Throws<AlreadyOwnedException>(() => OwnerReferences.SetControllerReference(owned, Map("two", "1")));
        Assert.Contains("ConfigMap one", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SetControllerReference_OwnerInAnotherNamespace_Throws() => Assert.Throws<ArgumentException>(
        () => OwnerReferences.SetControllerReference(new ObjectMeta { Namespace = "b", Name = "c" }, Map("one", "1")));

    [Fact]
    public async Task FinalizersAdd_OnLiveObject_KeepsOthersAndNeedsTheVersion()
    {
        var stored = await _client.CreateAsync(With(["other"]), null, CancellationToken.None);
        var added = await Finalizers.AddAsync(_client, stored, "mine", CancellationToken.None);
        Assert.Equal(["other", "mine"], added.Metadata.Finalizers!);
        Assert.Same(added, await Finalizers.AddAsync(_client, added, "mine", CancellationToken.None));
        Assert.True((await Assert.ThrowsAsync<KubeException>(() =>
            Finalizers.AddAsync(_client, stored, "third", CancellationToken.None))).IsConflict);
    }

    [Fact]
    public async Task FinalizersAdd_OnObjectBeingDeleted_AsksNothing()
    {
        var dying = With([]) with { Metadata = new ObjectMeta { Namespace = "a", Name = "x", DeletionTimestamp = Now } };
        Assert.Same(dying, await Finalizers.AddAsync(_client, dying, "mine", CancellationToken.None));
        Assert.Equal(0, _client.Requests.Reader.Count);
    }

    [Fact]
    public async Task FinalizersRemove_ListMovedMeanwhile_RemovesOnlyItsOwn()
    {
        var stale = await _client.CreateAsync(With(["other", "mine", "third"]), null, CancellationToken.None);
        await _client.ReplaceAsync(stale with { Metadata = stale.Metadata with { Finalizers = ["mine", "third"] } }, null,
            CancellationToken.None);
        await Finalizers.RemoveAsync(_client, stale, "mine", CancellationToken.None);
        Assert.Equal(["third"], (await _client.GetAsync<ConfigMap>("a", "x", CancellationToken.None)).Metadata.Finalizers!);
    }

    [Fact]
    public async Task FinalizersRemove_ObjectGone_IsDone()
    {
        var stored = await _client.CreateAsync(With(["mine"]), null, CancellationToken.None);
        await _client.DeleteAsync<ConfigMap>("a", "x", null, CancellationToken.None);
        await Finalizers.RemoveAsync(_client, stored, "mine", CancellationToken.None);
    }

    [Fact]
    public async Task Apply_UsesOneManagerAndForces()
    {
        await new Applier(_client, "test-controller").ApplyAsync(Map("x", "0"), CancellationToken.None);
        var options = (WriteOptions)(await _client.NextRequestAsync()).Body;
        Assert.Equal(("test-controller", true), (options.FieldManager, options.Force));
    }

    [Fact]
    public async Task Create_WhereThereIsSomethingOfTheName_IsAConflictAndTouchesNothing()
    {
        // Whatever is made first gets the version that no object of a cluster has.
        await _client.CreateAsync(Map("first", "0"), null, CancellationToken.None);
        var applier = new Applier(_client, "test-controller");
        var made = await applier.CreateAsync(Map("x", "0"), CancellationToken.None);
        var error = await Assert.ThrowsAsync<KubeException>(() => applier.CreateAsync(Map("x", "0"), CancellationToken.None));
        Assert.Equal(409, error.Code);
        Assert.False(Applier.IsUnguarded(error));
        Assert.Equal(made.Metadata.ResourceVersion,
            (await _client.GetAsync<ConfigMap>("a", "x", CancellationToken.None)).Metadata.ResourceVersion);
    }

    [Theory]
    [InlineData(500, "resourceVersion should not be set on objects to be created", true)]
    [InlineData(500, "etcdserver: request timed out", false)]
    [InlineData(409, "resourceVersion: the object has been modified", false)]
    public void IsUnguarded_OnlyWhatTheServerSaysOfTheVersion(int code, string message, bool unguarded) =>
        Assert.Equal(unguarded, Applier.IsUnguarded(new KubeException(new Status { Code = code, Message = message })));

    [Fact]
    public void ConsistencyGate_StoreBehindOwnWrite_HoldsBackUntilItShows()
    {
        var informer = new FakeInformer { LastResourceVersion = "9" };
        using var gate = new ConsistencyGate(new FakeTimeProvider(), [informer]);
        var key = new ResourceKey("a", "owner");
        Assert.True(gate.IsReady(key));
        gate.WroteAt(key, Map("child", "10"));
        gate.WroteAt(key, Map("older", "8"));
        Assert.False(gate.IsReady(key));
        Assert.True(gate.IsReady(new ResourceKey("a", "other")));
        informer.LastResourceVersion = "10";
        Assert.True(gate.IsReady(key));
    }

    [Fact]
    public void ConsistencyGate_WriteNeverShows_GivesUpAfterAWhile()
    {
        var time = new FakeTimeProvider();
        using var gate = new ConsistencyGate(time, [new FakeInformer { LastResourceVersion = "9" }]);
        var key = new ResourceKey("a", "owner");
        gate.WroteAt(key, Map("child", "10"));
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.False(gate.IsReady(key));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(gate.IsReady(key));
    }

    [Fact]
    public void ConsistencyGate_ClearedOrNotComparable_IsOpen()
    {
        using var gate = new ConsistencyGate(new FakeTimeProvider(), [new FakeInformer { LastResourceVersion = "9" }]);
        var key = new ResourceKey("a", "owner");
        gate.WroteAt(key, Map("child", "opaque"));
        Assert.True(gate.IsReady(key));
        gate.WroteAt(key, Map("child", "10"));
        gate.Clear(key);
        Assert.True(gate.IsReady(key));
    }

    [Fact]
    public async Task SlowStart_FirstFails_TriesNoMore()
    {
        var calls = 0;
        var (succeeded, error) = await SlowStart.RunAsync(1000, (_, _) =>
            Task.FromException(new FormatException((++calls).ToString(System.Globalization.CultureInfo.InvariantCulture))), default);
        Assert.Equal((0, 1), (succeeded, calls));
        Assert.IsType<FormatException>(error);
    }

    [Fact]
    public async Task SlowStart_QuotaEndsInTheMiddle_FinishesThatBatchOnly()
    {
        var done = new System.Collections.Concurrent.ConcurrentBag<int>();
        var (succeeded, error) = await SlowStart.RunAsync(
            100,
            (i, _) =>
            {
                done.Add(i);
                return i < 10 ? Task.CompletedTask : Task.FromException(new FormatException());
            },
            default);
        Assert.Equal((10, 15), (succeeded, done.Count)); // 1 + 2 + 4 + 8
        Assert.NotNull(error);
    }

    private static ConfigMap With(IReadOnlyList<string> finalizers) =>
        new() { Metadata = new ObjectMeta { Namespace = "a", Name = "x", Finalizers = finalizers } };

    private sealed class FakeInformer : IInformer
    {
        public ResourceDescriptor Descriptor => ConfigMap.Descriptor;

        public TimeSpan BrokenFor => TimeSpan.Zero;

        public bool HasSynced => true;

        public string? LastResourceVersion { get; set; }

        public Task WaitForSyncAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task RunAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
