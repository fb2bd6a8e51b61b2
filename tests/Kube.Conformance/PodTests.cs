using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class PodTests(Clusters clusters)
{
    /// <summary>A pod that no node takes.</summary>
    public static string Pod(string name, string container = """{"name":"c","image":"i"}""", string spec = "") =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{"nodeSelector":{"no":"where"},"containers":[{{{container}}}]{{{spec}}}}}""";

    [SkippableTheory, Targets]
    public async Task Create_Pod_GetsTheDefaults(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        var pod = (await s.PostAsync(s.Pods, Pod("p", """
            {"name":"c","image":"i","ports":[{"containerPort":80}],"readinessProbe":{"httpGet":{"port":80}}}
            """))).Ok(201);
        var spec = pod["spec"]!;
        Assert.Equal(("Always", 30, "ClusterFirst", "default-scheduler"),
            ((string?)spec["restartPolicy"], (int?)spec["terminationGracePeriodSeconds"], (string?)spec["dnsPolicy"],
                (string?)spec["schedulerName"]));
        var container = spec["containers"]![0]!;
        Assert.Equal(("Always", "/dev/termination-log", "File", "TCP"),
            ((string?)container["imagePullPolicy"], (string?)container["terminationMessagePath"],
            (string?)container["terminationMessagePolicy"], (string?)container["ports"]![0]!["protocol"]));
        Check.Same("""
            {"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,
             "failureThreshold":3}
            """, container["readinessProbe"]);
        Check.Same("{}", container["resources"]);
        Check.Same("{}", spec["securityContext"]);
        Assert.Equal(("Pending", "BestEffort"), ((string?)pod["status"]!["phase"], (string?)pod["status"]!["qosClass"]));
    }

    [SkippableTheory, Targets]
    public async Task Create_PodWithTag_PullsOnlyWhenMissing(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        var pod = (await s.PostAsync(s.Pods, Pod("p", """
            {"name":"c","image":"r:5000/i:1.0","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}
            """))).Ok(201);
        Assert.Equal("IfNotPresent", (string?)pod["spec"]!["containers"]![0]!["imagePullPolicy"]);
        Assert.Equal("Guaranteed", (string?)pod["status"]!["qosClass"]);
        Check.Same("""{"cpu":"1","memory":"1Gi"}""", pod["spec"]!["containers"]![0]!["resources"]!["requests"]);
    }

    public static TheoryData<string, string, string, string> Invalid()
    {
        var data = new TheoryData<string, string, string, string>();
        foreach (var target in new[] { TargetsAttribute.Embedded, TargetsAttribute.Cluster })
        {
            data.Add(target, """{"name":"c"}""", "", "FieldValueRequired spec.containers[0].image");
            data.Add(target, """{"image":"i"}""", "", "FieldValueRequired spec.containers[0].name");
            data.Add(target, """{"name":"C_","image":"i"}""", "", "FieldValueInvalid spec.containers[0].name");
            data.Add(target, """{"name":"c","image":"i"},{"name":"c","image":"i"}""", "", "FieldValueDuplicate spec.containers[1].name");
            data.Add(target, """
                {"name":"c","image":"i","ports":[{"containerPort":70000}]}
                """, "", "FieldValueInvalid spec.containers[0].ports[0].containerPort");
            data.Add(target, """
                {"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/x"}]}
                """, "", "FieldValueNotFound spec.containers[0].volumeMounts[0].name");
            data.Add(target, """
                {"name":"c","image":"i","env":[{"name":"","value":"x"}]}
                """, "", "FieldValueRequired spec.containers[0].env[0].name");
            data.Add(target, """
                {"name":"c","image":"i","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}
                """, "", "FieldValueInvalid spec.containers[0].resources.requests");
            data.Add(target, """{"name":"c","image":"i"}""", ""","restartPolicy":"Sometimes" """,
                "FieldValueNotSupported spec.restartPolicy");
            data.Add(target, """{"name":"c","image":"i"}""", ""","volumes":[{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}]""",
                "FieldValueDuplicate spec.volumes[1].name");
            data.Add(target, "", "", "FieldValueRequired spec.containers");
            foreach (var (item, expected) in new[]
            {
                ("""{"path":"a"}""", "FieldValueRequired spec.volumes[0].downwardAPI"),
                ("""{"path":"../a","fieldRef":{"fieldPath":"metadata.name"}}""", "FieldValueInvalid spec.volumes[0].downwardAPI.path"),
                ("""{"path":"/a","fieldRef":{"fieldPath":"metadata.name"}}""", "FieldValueInvalid spec.volumes[0].downwardAPI.path"),
                ("""{"path":"a","fieldRef":{"fieldPath":"spec.nodeName"}}""",
                    "FieldValueNotSupported spec.volumes[0].downwardAPI.fieldRef.fieldPath"),
                ("""{"path":"a","fieldRef":{"fieldPath":"metadata.annotations['a b']"}}""",
                    "FieldValueInvalid spec.volumes[0].downwardAPI.fieldRef"),
            })
            {
                data.Add(target, """{"name":"c","image":"i"}""",
                    $$$""","volumes":[{"name":"v","downwardAPI":{"items":[{{{item}}}]}}] """, expected);
            }
        }

        return data;
    }

    [SkippableTheory, MemberData(nameof(Invalid))]
    public async Task Create_InvalidPod_NamesTheField(string target, string container, string spec, string expected)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        var reply = await s.PostAsync(s.Pods, Pod("p", container, spec));
        reply.Refused(422, "Invalid");
        Assert.StartsWith("Pod \"p\" is invalid: ", reply.Message, StringComparison.Ordinal);
        Assert.Equal(expected, string.Join(", ", reply.Causes.Select(c => $"{c.Reason} {c.Field}")));
    }

    [SkippableTheory, Targets]
    public async Task Create_PodWithItsOwnFieldsAsFiles_GetsTheDefaults(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        var pod = (await s.PostAsync(s.Pods, Pod("p", spec: """
            ,"volumes":[{"name":"v","downwardAPI":{"items":[{"path":"a/B_1.pem",
             "fieldRef":{"fieldPath":"metadata.annotations['parameter.berth.dev/B_1.pem']"}}]}}]
            """))).Ok(201);
        Check.Same("""
            {"items":[{"path":"a/B_1.pem","fieldRef":{"apiVersion":"v1",
             "fieldPath":"metadata.annotations['parameter.berth.dev/B_1.pem']"}}],"defaultMode":420}
            """, pod["spec"]!["volumes"]![0]!["downwardAPI"]);
    }

    [SkippableTheory, Targets]
    public async Task Update_PodSpec_OnlyTheImageMayChange(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        await s.PostAsync(s.Pods, Pod("p"));
        var reply = await s.StrategicAsync($"{s.Pods}/p", """{"spec":{"containers":[{"name":"c","env":[{"name":"A","value":"1"}]}]}}""");
        reply.Refused(422, "Invalid");
        Assert.Equal([("FieldValueForbidden", "spec")], reply.Causes);
        Assert.Contains("pod updates may not change fields other than", reply.Message, StringComparison.Ordinal);
        (await s.StrategicAsync($"{s.Pods}/p", """{"spec":{"containers":[{"name":"c","image":"j"}]}}""")).Ok();
    }

    [SkippableTheory, Targets]
    public async Task Status_OfAPod_IsWrittenThroughItsSubresource(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        await s.PostAsync(s.Pods, Pod("p"));
        var patched = (await s.StrategicAsync($"{s.Pods}/p/status", """
            {"status":{"conditions":[{"type":"Custom","status":"True"}]},"spec":{"nodeName":"ignored"}}
            """)).Ok();
        Assert.Contains(patched["status"]!["conditions"]!.AsArray(), c => (string?)c!["type"] == "Custom");
        Assert.Null(patched["spec"]!["nodeName"]);
        var again = (await s.StrategicAsync($"{s.Pods}/p/status", """
            {"status":{"conditions":[{"type":"Custom","status":"False"}]}}
            """)).Ok();
        Assert.Single(again["status"]!["conditions"]!.AsArray(), c => (string?)c!["type"] == "Custom");
        var ignored = (await s.MergeAsync($"{s.Pods}/p", """{"status":{"phase":"Running"}}""")).Ok();
        Assert.Equal("Pending", (string?)ignored["status"]!["phase"]);
    }

    [SkippableTheory, Targets]
    public async Task Delete_PodWithoutNode_GoesAtOnce(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        await s.PostAsync(s.Pods, Pod("p"));
        var reply = (await s.DeleteAsync($"{s.Pods}/p")).Ok();
        Assert.Equal("Pod", (string?)reply["kind"]);
        Assert.Equal(404, (await s.GetAsync($"{s.Pods}/p")).Code);
    }

    [SkippableTheory, Targets]
    public async Task Strategic_Containers_MergeByName(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.ReadyForPodsAsync();
        await s.PostAsync(s.Pods, Pod("p", """{"name":"a","image":"1"},{"name":"b","image":"1"}"""));
        var reply = (await s.StrategicAsync($"{s.Pods}/p", """
            {"spec":{"containers":[{"name":"b","image":"2"}]},"metadata":{"labels":{"x":"y"}}}
            """)).Ok();
        Assert.Equal(["a 1", "b 2"], reply["spec"]!["containers"]!.AsArray().Select(c => $"{c!["name"]} {c["image"]}"));
    }

    [SkippableTheory, Targets]
    public async Task Log_OfAPodThatNeverRan_IsAClearError(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.GetAsync($"{s.Pods}/nope/log")).Refused(404, "NotFound", "pods \"nope\" not found");
    }
}
