using System.Text.Json.Nodes;
using Kube.Server.Controllers.GarbageCollection;
using Kube.Server.Runner;
using Kube.Server.Tests.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Controllers;

public sealed class GarbageCollectorTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new(TimeProvider.System);
    private readonly GarbageCollector _collector = new();

    [Theory]
    [InlineData("S", false, "Keep")]
    [InlineData("SS", false, "Keep")]
    [InlineData("SD", false, "DropReferences")]
    [InlineData("SW", false, "DropReferences")]
    [InlineData("D", false, "DeleteBackground")]
    [InlineData("DD", true, "DeleteBackground")]
    [InlineData("W", false, "DeleteBackground")]
    [InlineData("WD", true, "DeleteForeground")]
    [InlineData("U", false, "Keep")]
    [InlineData("DU", false, "Keep")]
    [InlineData("", false, "Keep")]
    public void Decide_Standings_FollowTheRules(string owners, bool dependents, string expected)
    {
        var standings = owners.Select(o => o switch
        {
            'S' => OwnerStanding.Solid,
            'D' => OwnerStanding.Dangling,
            'W' => OwnerStanding.Waiting,
            _ => OwnerStanding.Unknown,
        }).ToList();

        Assert.Equal(expected, OwnerVerdict.Decide(standings, dependents).ToString());
    }

    [Fact]
    public async Task OwnerDeleted_Background_DependentsFollowDownTheChain()
    {
        var owner = await CreateAsync("owner");
        var child = await CreateAsync("child", owner);
        await CreateAsync("grandchild", child);

        await _cluster.DeleteAsync(GroupResource.ConfigMaps, "default", "owner");

        await GoneAsync("child");
        await GoneAsync("grandchild");
    }

    [Fact]
    public async Task OwnerAbsentOrOfAnotherUid_DependentIsDeleted()
    {
        var owner = await CreateAsync("owner");
        await CreateAsync("ghost", Owner("no-such-uid", "owner"));
        await CreateAsync("never", Owner("other-uid", "never-existed"));
        await CreateAsync("real", owner);

        await GoneAsync("ghost");
        await GoneAsync("never");
        Assert.NotNull(Get("real"));
    }

    [Fact]
    public async Task OwnerInAnotherNamespace_CountsAsAbsent()
    {
        var far = await _cluster.CreateAsync(GroupResource.ConfigMaps, "far", Named("owner"));

        await CreateAsync("child", far);

        await GoneAsync("child");
    }

    [Fact]
    public async Task TwoOwners_OneGone_OnlyTheReferenceIsDropped()
    {
        var one = await CreateAsync("one");
        var two = await CreateAsync("two");
        await CreateAsync("child", one, two);

        await _cluster.DeleteAsync(GroupResource.ConfigMaps, "default", "one");

        await UntilAsync(() => Get("child").Object("metadata").Objects("ownerReferences").Count() == 1);
        Assert.Equal("two", Get("child").Object("metadata").Objects("ownerReferences").Single().Text("name"));
    }

    [Fact]
    public async Task Orphan_DependentsStayWithoutReference()
    {
        var owner = await CreateAsync("owner");
        await CreateAsync("child", owner);

        await _cluster.DeleteAsync(GroupResource.ConfigMaps, "default", "owner",
            new DeleteOptions { Propagation = DeletionPropagation.Orphan });

        await GoneAsync("owner");
        Assert.Empty(Get("child").Object("metadata").Objects("ownerReferences"));
    }

    [Fact]
    public async Task Foreground_OwnerWaitsForBlockingDependentsOnly()
    {
        var owner = await CreateAsync("owner");
        await CreateAsync("child", owner);
        await _cluster.ModifyAsync(GroupResource.ConfigMaps, "default", "child", o =>
        {
            o["metadata"]!["finalizers"] = new JsonArray("example.com/wait");
            o["metadata"]!["ownerReferences"]![0]!["blockOwnerDeletion"] = true;
            return true;
        });

        await _cluster.DeleteAsync(GroupResource.ConfigMaps, "default", "owner",
            new DeleteOptions { Propagation = DeletionPropagation.Foreground });

        await UntilAsync(() => Get("child").Object("metadata").Text("deletionTimestamp") is not null);
        Assert.NotNull(Get("owner"));
        await _cluster.ModifyAsync(GroupResource.ConfigMaps, "default", "child", o => o["metadata"]!.AsObject().Remove("finalizers"));
        await GoneAsync("owner");
    }

    [Fact]
    public async Task UnknownOwnerKind_IsLeftAlone()
    {
        var reference = Owner("u", "x");
        reference["kind"] = "Widget";
        await CreateAsync("kept", reference);
        await CreateAsync("ghost", Owner("no-such-uid", "x"));

        await GoneAsync("ghost");
        Assert.NotNull(Get("kept"));
    }

    public Task InitializeAsync() =>
        _collector.StartAsync(new HostedControllerContext(_cluster, NullLoggerFactory.Instance, TimeProvider.System, "/"), default);

    public async Task DisposeAsync()
    {
        await _collector.StopAsync(default);
        _collector.Dispose();
    }

    private Task<JsonObject> CreateAsync(string name, params JsonObject[] owners)
    {
        var obj = Named(name);
        obj["metadata"]!["ownerReferences"] = new JsonArray([.. owners.Select(o => (JsonNode)(o.ContainsKey("uid") ? o
            : Owner(o.Object("metadata").Text("uid")!, o.Object("metadata").Text("name")!)))]);
        return _cluster.CreateAsync(GroupResource.ConfigMaps, "default", obj);
    }

    private static JsonObject Named(string name) => new() { ["metadata"] = new JsonObject { ["name"] = name } };

    private static JsonObject Owner(string uid, string name) =>
        new() { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["name"] = name, ["uid"] = uid };

    private JsonObject? Get(string name) => _cluster.Get(GroupResource.ConfigMaps, "default", name);

    private Task GoneAsync(string name) => UntilAsync(() => Get(name) is null);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }
}
