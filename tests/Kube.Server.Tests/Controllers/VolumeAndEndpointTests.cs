using System.Text.Json.Nodes;
using Kube.Server.Controllers;
using Kube.Server.Runner;
using Kube.Server.Runner.Ports;
using Kube.Server.Tests.Runner;

namespace Kube.Server.Tests.Controllers;

public sealed class VolumeAndEndpointTests
{
    private const string ClaimJson = """
        {"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
        """;
    private const string ClaimVolume = """ "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}] """;
    private const string ClaimMount = """ "env":[{"name":"D","value":"/data"}],"volumeMounts":[{"name":"v","mountPath":"/data"}] """;

    [Fact]
    public async Task Claim_Created_IsBoundToAPrivateFolder()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, ClaimJson);

        var claim = await runner.WaitAsync(() => runner.Cluster.Get(GroupResource.PersistentVolumeClaims, "default", "c"),
            c => c.Object("status").Text("phase") == "Bound", "bound");
        Assert.Equal("1Gi", claim.Object("status").Object("capacity").Text("storage"));
        Assert.Equal("local", claim.Object("spec").Text("storageClassName"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder(runner)));
        var volume = runner.Cluster.Get(GroupResource.PersistentVolumes, null, claim.Object("spec").Text("volumeName")!);
        Assert.Equal("Bound", volume.Object("status").Text("phase"));

        await runner.Cluster.ModifyAsync(GroupResource.PersistentVolumeClaims, "default", "c", c =>
        {
            c["spec"]!["resources"]!["requests"]!["storage"] = "2Gi";
            return true;
        });
        await runner.WaitAsync(() => runner.Cluster.Get(GroupResource.PersistentVolumeClaims, "default", "c"),
            c => c.Object("status").Object("capacity").Text("storage") == "2Gi", "expanded");
    }

    [Fact]
    public async Task Claim_OfUnknownClass_StaysUnboundAndSaysWhy()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, """{"metadata":{"name":"c"},"spec":{"storageClassName":"fast"}}""");

        await runner.WaitEventAsync("ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found");
        Assert.False(Directory.Exists(Folder(runner)));
    }

    [Fact]
    public async Task Claim_DataOutlivesThePodAndGoesWithTheClaim()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, ClaimJson);
        await runner.CreatePodAsync("w", "echo kept > $D/f", ClaimVolume + """,  "restartPolicy":"Never" """, ClaimMount);
        await runner.WaitPodAsync("w", p => p.Object("status").Text("phase") == "Succeeded", "written");
        await runner.Cluster.DeleteAsync(GroupResource.Pods, "default", "w");
        await runner.WaitGoneAsync("w");

        await runner.CreatePodAsync("r", "cat $D/f; sleep 1000", ClaimVolume, ClaimMount);
        await runner.WaitLogAsync("r", "kept");
        await runner.Cluster.DeleteAsync(GroupResource.PersistentVolumeClaims, "default", "c");
        Assert.NotNull(runner.Cluster.Get(GroupResource.PersistentVolumeClaims, "default", "c").Object("metadata")
            .Text("deletionTimestamp"));
        Assert.True(File.Exists(Path.Combine(Folder(runner), "f")));
        await runner.Cluster.DeleteAsync(GroupResource.Pods, "default", "r", new DeleteOptions { GracePeriodSeconds = 1 });

        await runner.WaitAsync(() => [], _ =>
            !Directory.Exists(Folder(runner)) && runner.Cluster.List(GroupResource.PersistentVolumes).Items.Count == 0, "folder gone");
    }

    [Fact]
    public async Task Claim_OfRetainingClass_IsMovedAsideAndNotReused()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.Cluster.CreateAsync(GroupResource.StorageClasses, null, (JsonObject)JsonNode.Parse(
            $$"""{"metadata":{"name":"keep"},"provisioner":"{{VolumeBinder.Provisioner}}","reclaimPolicy":"Retain"}""")!);
        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, """{"metadata":{"name":"c"},"spec":{"storageClassName":"keep"}}""");
        await runner.WaitAsync(() => runner.Cluster.Get(GroupResource.PersistentVolumeClaims, "default", "c"), c =>
            c.Object("status").Text("phase") == "Bound", "bound");
        await File.WriteAllTextAsync(Path.Combine(Folder(runner), "f"), "x");

        await runner.Cluster.DeleteAsync(GroupResource.PersistentVolumeClaims, "default", "c");

        var volume = await runner.WaitAsync(() =>
            runner.Cluster.List(GroupResource.PersistentVolumes).Items is [var first, ..] ? first : null,
            v => v.Object("status").Text("phase") == "Released", "released");
        Assert.Equal("x", await File.ReadAllTextAsync(Path.Combine(volume.Object("spec").Object("hostPath").Text("path")!, "f")));
        Assert.False(Directory.Exists(Folder(runner)));
    }

    [Fact]
    public async Task Pod_WithMissingClaim_WaitsAndStartsWhenItComes()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "sleep 1000", ClaimVolume);
        await runner.WaitEventAsync("FailedScheduling", "0/1 nodes are available: persistentvolumeclaim \"c\" not found.");
        Assert.Equal("Pending", runner.Pod("a").Object("status").Text("phase"));
        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, ClaimJson);

        await runner.WaitRunningAsync("a");
    }

    [Fact]
    public async Task Pod_WithMissingSecretVolume_ReportsFailedMountAndRecovers()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "cat $S/sub/k; stat -c %a $S/sub/k; sleep 1000",
            """ "volumes":[{"name":"s","secret":{"secretName":"s","items":[{"key":"k","path":"sub/k"}]}}] """,
            """ "env":[{"name":"S","value":"/run/s"}],"volumeMounts":[{"name":"s","mountPath":"/run/s"}] """);
        await runner.WaitEventAsync("FailedMount", "MountVolume.SetUp failed for volume \"s\" : secret \"s\" not found");
        await runner.CreateAsync(GroupResource.Secrets, """{"metadata":{"name":"s"},"data":{"k":"aHVzaAo="}}""");

        await runner.WaitLogAsync("a", "600");
        Assert.Equal("hush\n600\n", await runner.LogAsync("a"));
    }

    [Theory]
    [InlineData("../../escape")]
    [InlineData("/etc")]
    [InlineData("link/x")]
    public async Task SubPath_ThatLeavesTheVolume_IsRefused(string subPath)
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, ClaimJson);
        await runner.WaitAsync(() => [], _ => Directory.Exists(Folder(runner)), "folder");
        Directory.CreateSymbolicLink(Path.Combine(Folder(runner), "link"), "/etc");

        await runner.CreatePodAsync("a", "sleep 1000", ClaimVolume,
            $$""" "volumeMounts":[{"name":"v","mountPath":"/d","subPath":"{{subPath}}"}] """);

        await runner.WaitEventAsync("Failed", $"subPath \"{subPath}\" must stay inside the volume");
        Assert.Null(RunnerFixture.Container(runner.Pod("a")).Object("state").Object("running"));
    }

    [Fact]
    public async Task Items_PathThatLeavesTheVolume_IsRefused()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.ConfigMaps, """{"metadata":{"name":"cm"},"data":{"k":"x"}}""");

        await runner.CreatePodAsync("a", "sleep 1000",
            """ "volumes":[{"name":"v","configMap":{"name":"cm","items":[{"key":"k","path":"../../k"}]}}] """);

        await runner.WaitEventAsync("FailedMount", "path \"../../k\" must stay inside the volume");
    }

    [Fact]
    public async Task SubPath_InsideTheVolume_IsMadeAndUsed()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, ClaimJson);

        await runner.CreatePodAsync("a", "pwd; sleep 1000", ClaimVolume,
            """ "workingDir":"/d","volumeMounts":[{"name":"v","mountPath":"/d","subPath":"one/two"}] """);

        await runner.WaitLogAsync("a", Path.Combine(Folder(runner), "one/two"));
    }

    [Fact]
    public async Task Endpoints_FollowReadinessAndAssignedPorts()
    {
        await using var runner = await RunnerFixture.StartAsync();
        var gate = Path.Combine(runner.Data, "gate");
        await runner.CreateAsync(GroupResource.Services,
            """
                {"metadata":{"name":"s"},"spec":{"selector":{"app":"a"},"ports":[{"name":"http","port":80,"targetPort":"web",
                 "protocol":"TCP"}]}}
                """);

        await runner.CreatePodAsync("a", "sleep 1000", containerExtra: $$$"""
            "ports":[{"name":"web","containerPort":8080}],
            "readinessProbe":{"exec":{"command":["test","-e","{{{gate}}}"]},"periodSeconds":1}
            """);
        var notReady = await Subset(runner, s => s["notReadyAddresses"] is JsonArray);
        Assert.Null(notReady["addresses"]);
        await File.WriteAllTextAsync(gate, "");
        var ready = await Subset(runner, s => s["addresses"] is JsonArray);

        Assert.Equal("127.0.0.1", ready.Objects("addresses").Single().Text("ip"));
        var port = ready.Objects("ports").Single();
        Assert.Equal("http", port.Text("name"));
        Assert.Equal(PortAnnotation.Read(runner.Pod("a")!)["web"], port.Number("port"));
        Assert.Equal(PortAnnotation.Read(runner.Pod("a")!)["8080"], port.Number("port"));

        await runner.Cluster.DeleteAsync(GroupResource.Pods, "default", "a");
        await runner.WaitAsync(() => runner.Cluster.Get(GroupResource.Endpoints, "default", "s"), e =>
            e["subsets"] is null, "no endpoints");
    }

    [Fact]
    public void Subsets_PodsWithTheSamePorts_ShareOne()
    {
        var service = (JsonObject)JsonNode.Parse("""{"spec":{"selector":{"a":"b"},"ports":[{"port":80,"targetPort":8080}]}}""")!;
        JsonObject Pod(string name, bool ready) => (JsonObject)JsonNode.Parse($$"""
            {"metadata":{"name":"{{name}}","labels":{"a":"b"} },"status":{"podIP":"10.0.0.1","phase":"Running",
             "conditions":[{"type":"Ready","status":"{{(ready ? "True" : "False")}}"}]} }
            """)!;

        var subset = Assert.Single(EndpointsController.Subsets(service, [Pod("x", true), Pod("y", false)]))!.AsObject();

        Assert.Equal(8080, subset.Objects("ports").Single().Number("port"));
        Assert.Equal("x", subset.Objects("addresses").Single().Object("targetRef").Text("name"));
        Assert.Equal("y", subset.Objects("notReadyAddresses").Single().Object("targetRef").Text("name"));
    }

    private static async Task<JsonObject> Subset(RunnerFixture runner, Func<JsonObject, bool> condition)
    {
        var endpoints = await runner.WaitAsync(() => runner.Cluster.Get(GroupResource.Endpoints, "default", "s"),
            e => e.Objects("subsets").FirstOrDefault() is { } s && condition(s), "endpoints");
        return endpoints.Objects("subsets").First();
    }

    private static string Folder(RunnerFixture runner) => Path.Combine(runner.Data, "volumes", "default", "c");
}
