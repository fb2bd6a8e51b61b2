using Kube.Client;
using Kube.Client.Models;
using Kube.Conformance.Support;

namespace Kube.Conformance;

[Collection(ClusterTests.Name)]
public sealed class ListTests(Clusters clusters)
{
    [SkippableTheory, Targets]
    public async Task List_InPages_GivesEachObjectOnceFromOneVersion(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        for (var i = 0; i < 5; i++)
        {
            await s.MapAsync($"m{i}", metadata: """ "labels":{"paged":"yes"} """);
        }

        List<string> names = [];
        var options = new ListOptions { Limit = 2, LabelSelector = "paged=yes" };
        var first = await s.Client.ListPageAsync<ConfigMap>(s.Ns, options, s.Limit);
        names.AddRange(first.Items.Select(i => i.Metadata.Name!));
        Assert.Equal(2, first.Items.Count);
        await s.MapAsync("m9", metadata: """ "labels":{"paged":"yes"} """);
        var page = first;
        while (page.Metadata.Continue is { Length: > 0 } token)
        {
            page = await s.Client.ListPageAsync<ConfigMap>(s.Ns, options with { Continue = token }, s.Limit);
            Assert.Equal(first.Metadata.ResourceVersion, page.Metadata.ResourceVersion);
            names.AddRange(page.Items.Select(i => i.Metadata.Name!));
        }

        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], names);
        // With a selector the server does not know how many more there are.
        Assert.Null((await s.GetAsync($"{s.Maps}?limit=2&labelSelector=paged"))["metadata"]!["remainingItemCount"]);
    }

    [SkippableTheory, Targets]
    public async Task List_LimitWithoutSelector_CountsTheRest(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        var path = $"/api/v1/namespaces/{s.Ns}/events";
        for (var i = 0; i < 3; i++)
        {
            await s.PostAsync(path, $$$"""{"metadata":{"name":"e{{{i}}}"},"involvedObject":{"namespace":"{{{s.Ns}}}"},"type":"Normal"}""");
        }

        var page = (await s.GetAsync($"{path}?limit=1")).Ok();
        Assert.Equal(2, (int?)page["metadata"]!["remainingItemCount"]);
        Assert.Equal("EventList", (string?)page["kind"]);
    }

    [SkippableTheory, Targets]
    public async Task List_BrokenContinue_IsRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.GetAsync($"{s.Maps}?limit=1&continue=garbage")).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task List_ItemsOfABuiltInKind_ComeWithoutKindAndInOrderOfNames(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("b", metadata: """ "labels":{"own":"1"} """);
        await s.MapAsync("a", metadata: """ "labels":{"own":"1"} """);
        var list = (await s.GetAsync($"{s.Maps}?labelSelector=own")).Ok();
        Assert.Equal(("ConfigMapList", "v1"), ((string?)list["kind"], (string?)list["apiVersion"]));
        Assert.Equal(["a", "b"], list["items"]!.AsArray().Select(i => (string?)i!["metadata"]!["name"]));
        Assert.Null(list["items"]![0]!["kind"]);
        var typed = await s.Client.ListPageAsync<ConfigMap>(s.Ns, new(), s.Limit);
        Assert.All(typed.Items, i => Assert.Equal("ConfigMap", i.Kind));
        Assert.Empty((await s.GetAsync($"/api/v1/namespaces/{s.Ns}x/configmaps")).Ok()["items"]!.AsArray());
    }

    public static TheoryData<string, string, string> Selectors()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var target in new[] { TargetsAttribute.Embedded, TargetsAttribute.Cluster })
        {
            data.Add(target, "x=1", "a");
            data.Add(target, "x==1", "a");
            data.Add(target, "x!=1,own", "b c");
            data.Add(target, "x in (1,2)", "a b");
            data.Add(target, "x notin (1),own", "b c");
            data.Add(target, "x", "a b");
            data.Add(target, "!x,own", "c");
            data.Add(target, "x=1,y=2", "a");
            data.Add(target, "x=1,y=3", "");
            data.Add(target, "x=", "");
            data.Add(target, "n>5", "b");
            data.Add(target, "n<5", "a");
        }

        return data;
    }

    [SkippableTheory, MemberData(nameof(Selectors))]
    public async Task List_LabelSelector_GivesWhatMatches(string target, string selector, string expected)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", metadata: """ "labels":{"x":"1","y":"2","own":"","n":"3"} """);
        await s.MapAsync("b", metadata: """ "labels":{"x":"2","own":"","n":"7"} """);
        await s.MapAsync("c", metadata: """ "labels":{"own":""} """);
        var list = await s.Client.ListPageAsync<ConfigMap>(s.Ns, new() { LabelSelector = selector }, s.Limit);
        Assert.Equal(expected, string.Join(' ', list.Items.Select(i => i.Metadata.Name)));
    }

    [SkippableTheory, Targets]
    public async Task List_BrokenSelectors_AreRefused(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        (await s.GetAsync($"{s.Maps}?labelSelector=a%20b%20c")).Refused(400, "BadRequest");
        (await s.GetAsync($"{s.Maps}?labelSelector=x%20in%20(1")).Refused(400, "BadRequest");
        (await s.GetAsync($"{s.Maps}?fieldSelector=data.k%3D1")).Refused(400, "BadRequest");
    }

    [SkippableTheory, Targets]
    public async Task List_FieldSelector_GivesWhatMatches(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a");
        await s.MapAsync("b");
        var list = await s.Client.ListPageAsync<ConfigMap>(s.Ns, new() { FieldSelector = "metadata.name=b" }, s.Limit);
        Assert.Equal(["b"], list.Items.Select(i => i.Metadata.Name));
        await s.ReadyForPodsAsync();
        (await s.PostAsync(s.Pods, PodTests.Pod("p"))).Ok(201);
        Assert.Single((await s.GetAsync($"{s.Pods}?fieldSelector=status.phase%3DPending,spec.nodeName%3D")).Ok()["items"]!.AsArray());
        Assert.Empty((await s.GetAsync($"{s.Pods}?fieldSelector=status.phase!%3DPending")).Ok()["items"]!.AsArray());
    }

    [SkippableTheory, Targets]
    public async Task List_AllNamespaces_HoldsThoseOfThisOne(string target)
    {
        await using var s = await clusters.OpenAsync(target);
        await s.MapAsync("a", metadata: $$""" "labels":{"run":"{{s.Suffix}}"} """);
        var list = await s.Client.ListPageAsync<ConfigMap>(null, new() { LabelSelector = $"run={s.Suffix}" }, s.Limit);
        Assert.Equal(s.Ns, Assert.Single(list.Items).Metadata.Namespace);
    }
}
