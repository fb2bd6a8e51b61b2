using Kube.Client.Models;
using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class BuiltInTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task Lease_MicroTime_KeepsItsMicroseconds(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(1230);
        var lease = new Lease
        {
            Metadata = new() { Name = "l", Namespace = s.Ns },
            Spec = new() { HolderIdentity = "me", LeaseDurationSeconds = 15, AcquireTime = time, RenewTime = time.AddTicks(-1230) }
        };
        var created = await s.Client.CreateAsync(lease, null, s.Limit);
        Assert.Equal(lease.Spec, created.Spec);
        var raw = await s.GetAsync($"/apis/coordination.k8s.io/v1/namespaces/{s.Ns}/leases/l");
        Assert.Equal("2026-01-02T03:04:05.000123Z", (string?)raw["spec"]!["acquireTime"]);
        Assert.Equal("2026-01-02T03:04:05.000000Z", (string?)raw["spec"]!["renewTime"]);
        (await s.MergeAsync($"/apis/coordination.k8s.io/v1/namespaces/{s.Ns}/leases/l", """
            {"spec":{"leaseDurationSeconds":0}}
            """)).Refused(422, "Invalid");
    }

    [SkippableTheory, Targets]
    public async Task Event_WholeLife_Works(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        var created = await s.Client.CreateAsync(
            new CoreEvent
            {
                Metadata = new() { Name = "e.1", Namespace = s.Ns },
                InvolvedObject = new() { Kind = "ConfigMap", Name = "x", Namespace = s.Ns },
                Reason = "Tested",
                Message = "all well",
                Type = "Normal",
                Count = 1,
                FirstTimestamp = now,
                LastTimestamp = now,
                Source = new() { Component = "conformance" },
            },
            null,
            s.Limit);
        Assert.Equal(("Tested", now), (created.Reason, created.LastTimestamp));
        var list = await s.Client.ListPageAsync<CoreEvent>(s.Ns, new() { FieldSelector = "involvedObject.name=x,type=Normal" }, s.Limit);
        Assert.Equal("e.1", Assert.Single(list.Items).Metadata.Name);
        Assert.Empty((await s.Client.ListPageAsync<CoreEvent>(s.Ns, new() { FieldSelector = "involvedObject.name=y" }, s.Limit)).Items);
        (await s.PostAsync($"/api/v1/namespaces/{s.Ns}/events", """
            {"metadata":{"name":"e.2"},"involvedObject":{"namespace":"other"}}
            """)).Refused(422, "Invalid");
    }

    [SkippableTheory, Targets]
    public async Task Claim_Grows_OnlyWhenBound_AndWhereItsClassAllowsIt(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var claims = $"/api/v1/namespaces/{s.Ns}/persistentvolumeclaims";
        foreach (var (name, grows) in new[] { ("fixed", "false"), ("growing", "true") })
        {
            (await s.PostAsync("/apis/storage.k8s.io/v1/storageclasses", $$$"""
                {"metadata":{"name":"{{{name}}}-{{{s.Suffix}}}" },"allowVolumeExpansion":{{{grows}}},"provisioner":"example.com/none"}
                """)).Ok(201);
            s.CleanUp($"/apis/storage.k8s.io/v1/storageclasses/{name}-{s.Suffix}");
            (await s.PostAsync(claims, $$$$"""
                {"metadata":{"name":"{{{{name}}}}"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},
                 "storageClassName":"{{{{name}}}}-{{{{s.Suffix}}}}"}}
                """)).Ok(201);
        }

        const string grow = """{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}""";
        var early = await s.MergeAsync($"{claims}/growing", grow);
        Assert.True(early.Code is 403 or 422, early.ToString());
        foreach (var name in new[] { "fixed", "growing" })
        {
            (await s.MergeAsync($"{claims}/{name}/status", """{"status":{"phase":"Bound","capacity":{"storage":"1Gi"}}}""")).Ok();
        }

        (await s.MergeAsync($"{claims}/fixed", grow)).Refused(403, "Forbidden",
            "persistentvolumeclaims \"fixed\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that "
            + "provisions the pvc must support resize");
        (await s.MergeAsync($"{claims}/growing", grow)).Ok();
    }

    [SkippableTheory, Targets]
    public async Task Service_Create_GetsAnAddressAndDefaults(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/api/v1/namespaces/{s.Ns}/services";
        var reply = (await s.PostAsync(path, """
            {"metadata":{"name":"a"},"spec":{"selector":{"x":"y"},"ports":[{"port":80},{"name":"b","port":81,"targetPort":"web"}]}}
            """));
        reply.Refused(422, "Invalid");
        Assert.Equal([("FieldValueRequired", "spec.ports[0].name")], reply.Causes);
        var service = (await s.PostAsync(path, """
            {"metadata":{"name":"a"},"spec":{"selector":{"x":"y"},"ports":[{"port":80}]}}
            """)).Ok(201);
        Assert.Matches(@"^\d+\.\d+\.\d+\.\d+$", (string?)service["spec"]!["clusterIP"]);
        Assert.Equal(("ClusterIP", "None"), ((string?)service["spec"]!["type"], (string?)service["spec"]!["sessionAffinity"]));
        Check.Same("""{"protocol":"TCP","port":80,"targetPort":80}""", service["spec"]!["ports"]![0]);
        Check.Same("""{"loadBalancer":{}}""", service["status"]);
        (await s.MergeAsync($"{path}/a", """{"spec":{"clusterIP":"1.2.3.4"}}""")).Refused(422, "Invalid");
        (await s.PostAsync(path, """{"metadata":{"name":"1a"},"spec":{"ports":[{"port":80}]}}""")).Refused(422, "Invalid");
        Assert.Equal("None", (string?)(await s.PostAsync(path, """
            {"metadata":{"name":"h"},"spec":{"clusterIP":"None","ports":[{"port":80}]}}
            """)).Ok(201)["spec"]!["clusterIP"]);
    }

    [SkippableTheory, Targets]
    public async Task PersistentVolumeClaim_Create_DefaultsAndStaysAsItIs(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/api/v1/namespaces/{s.Ns}/persistentvolumeclaims";
        var claim = (await s.PostAsync(path, """
            {"metadata":{"name":"a"},"spec":{"storageClassName":"none","accessModes":["ReadWriteOnce"],
             "resources":{"requests":{"storage":"1024Mi"}}}}
            """)).Ok(201);
        Assert.Equal(("Filesystem", "Pending"), ((string?)claim["spec"]!["volumeMode"], (string?)claim["status"]!["phase"]));
        Assert.Equal("1Gi", (string?)claim["spec"]!["resources"]!["requests"]!["storage"]);
        (await s.MergeAsync($"{path}/a", """{"spec":{"accessModes":["ReadOnlyMany"]}}""")).Refused(422, "Invalid");
        var reply = await s.PostAsync(path, """
            {"metadata":{"name":"b"},"spec":{"accessModes":[],"resources":{"requests":{"storage":"-1Gi"}}}}
            """);
        reply.Refused(422, "Invalid");
        Assert.Contains(("FieldValueRequired", "spec.accessModes"), reply.Causes);
        Assert.Contains(("FieldValueInvalid", "spec.resources[storage]"), reply.Causes);
        (await s.PostAsync(path, """
            {"metadata":{"name":"b"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"lots"}}}}
            """)).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task NetworkPolicy_Create_DefaultsAndChecks(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/apis/networking.k8s.io/v1/namespaces/{s.Ns}/networkpolicies";
        var policy = await s.Client.CreateAsync(
            new NetworkPolicy
            {
                Metadata = new() { Name = "a", Namespace = s.Ns },
                Spec = new()
                {
                    Ingress = [new() { From = [new() { IpBlock = new() { Cidr = "10.0.0.0/8", Except = ["10.1.0.0/16"] } }],
                        Ports = [new() { Port = 80 }, new() { Port = "web" }] }],
                },
            },
            null,
            s.Limit);
        Assert.Equal(["Ingress"], policy.Spec!.PolicyTypes!);
        Assert.Equal("TCP", policy.Spec.Ingress![0].Ports![0].Protocol);
        var reply = await s.PostAsync(path, """
            {"metadata":{"name":"b"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/99"}}]}]}}
            """);
        reply.Refused(422, "Invalid");
        Assert.Equal("spec.ingress[0].from[0].ipBlock.cidr", Assert.Single(reply.Causes).Field);
    }

    [SkippableTheory, Targets]
    public async Task Endpoints_WholeLife_Works(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var endpoints = new Endpoints
        {
            Metadata = new() { Name = "a", Namespace = s.Ns },
            Subsets = [new() { Addresses = [new() { IP = "10.1.2.3" }], Ports = [new() { Name = "http", Port = 8080 }] }],
        };
        var created = await s.Client.CreateAsync(endpoints, null, s.Limit);
        Assert.Equal("TCP", created.Subsets![0].Ports![0].Protocol);
    }

    [SkippableTheory, Targets]
    public async Task Table_OfBuiltInKinds_HasTheUsualColumns(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        await s.PostAsync(s.Pods, PodTests.Pod("p"));
        var table = (await s.GetAsync(s.Pods, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).Ok();
        Assert.Equal(["Name", "Ready", "Status", "Restarts", "Age"],
            table["columnDefinitions"]!.AsArray().Take(5).Select(c => (string?)c!["name"]));
        Assert.Equal(["p", "0/1", "Pending", "0"], table["rows"]![0]!["cells"]!.AsArray().Take(4).Select(c => c!.ToString()));
        var one = (await s.GetAsync($"{s.Pods}/p", "application/json;as=Table;v=v1;g=meta.k8s.io")).Ok();
        Assert.Equal("Table", (string?)one["kind"]);
    }

    [SkippableTheory, Targets]
    public async Task PartialObjectMetadata_IsOnlyTheMetadata(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", """{"k":"v"}""");
        var partial = (await s.GetAsync($"{s.Maps}/a", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")).Ok();
        Assert.Equal(("PartialObjectMetadata", "meta.k8s.io/v1", "a"),
            ((string?)partial["kind"], (string?)partial["apiVersion"], (string?)partial["metadata"]!["name"]));
        Assert.Null(partial["data"]);
        Assert.Equal("PartialObjectMetadataList",
            (string?)(await s.GetAsync(s.Maps, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).Ok()["kind"]);
    }

    [SkippableTheory, Targets]
    public async Task Discovery_TellsWhatIsServed(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        Assert.Equal(["v1"], (await s.GetAsync("/api")).Ok()["versions"]!.AsArray().Select(v => (string?)v));
        var groups = (await s.GetAsync("/apis")).Ok();
        Assert.Equal("APIGroupList", (string?)groups["kind"]);
        var names = groups["groups"]!.AsArray().Select(g => (string)g!["name"]!).ToHashSet();
        Assert.Superset(new HashSet<string> { "apiextensions.k8s.io", "coordination.k8s.io", "networking.k8s.io" }, names);
        var core = (await s.GetAsync("/api/v1")).Ok();
        Assert.Equal(("APIResourceList", "v1"), ((string?)core["kind"], (string?)core["groupVersion"]));
        var pods = core["resources"]!.AsArray().Single(r => (string?)r!["name"] == "pods")!;
        Assert.Equal(("Pod", true), ((string?)pods["kind"], (bool?)pods["namespaced"]));
        Check.Same("""["po"]""", pods["shortNames"]);
        Check.Same("""["all"]""", pods["categories"]);
        Assert.Superset(new HashSet<string> { "pods/log", "pods/status", "namespaces", "configmaps", "events", "persistentvolumeclaims" },
            core["resources"]!.AsArray().Select(r => (string)r!["name"]!).ToHashSet());
        foreach (var probe in new[] { "/healthz", "/livez", "/readyz" })
        {
            Assert.Equal("ok", (await s.GetAsync(probe, "*/*")).Ok().Text);
        }

        Assert.StartsWith("v1.", (string?)(await s.GetAsync("/version")).Ok()["gitVersion"], StringComparison.Ordinal);
    }

    [SkippableTheory, Targets]
    public async Task OpenApiV3_DescribesTheKinds(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        s.Needs(24, "OpenAPI v3");
        var paths = (await s.GetAsync("/openapi/v3")).Ok()["paths"]!;
        var core = (await s.GetAsync((string)paths["api/v1"]!["serverRelativeURL"]!)).Ok();
        var pod = core["components"]!["schemas"]!["io.k8s.api.core.v1.Pod"]!;
        Check.Same("""[{"group":"","kind":"Pod","version":"v1"}]""", pod["x-kubernetes-group-version-kind"]);
        Assert.NotNull(core["paths"]!["/api/v1/namespaces/{namespace}/pods/{name}"]);
    }
}
