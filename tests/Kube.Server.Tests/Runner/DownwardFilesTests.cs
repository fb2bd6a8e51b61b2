using System.Text.Json.Nodes;

namespace Kube.Server.Tests.Runner;

/// <summary>Files that tell a pod about itself follow its labels and annotations while it runs.</summary>
public sealed class DownwardFilesTests
{
    private const string Source = """ "downwardAPI":{"items":[{"path":"who","fieldRef":{"fieldPath":"metadata.labels['owner']"}}]} """;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Label_ChangesWhileThePodRuns_TheFileFollows(bool projected)
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreatePodAsync(
            "a",
            "f=$INFO/who; [ -e $f ] && [ ! -s $f ] && echo empty; until [ -s $f ]; do sleep 0.05; done; echo it is `cat $f`; "
                + "exec sleep 1000",
            """ "volumes":[{"name":"v", """ + (projected ? """ "projected":{"sources":[{ """ + Source + " }]}" : Source) + "}]",
            """ "env":[{"name":"INFO","value":"/info"}],"volumeMounts":[{"name":"v","mountPath":"/info"}] """);
        await runner.WaitLogAsync("a", "empty");
        await runner.Cluster.ModifyAsync(GroupResource.Pods, "default", "a", pod =>
        {
            ((JsonObject)pod["metadata"]!["labels"]!)["owner"] = "ada";
            return true;
        });
        await runner.WaitLogAsync("a", "it is ada");
        var uid = (string)runner.Pod("a")!["metadata"]!["uid"]!;
        Assert.Single(Directory.GetFiles(Path.Combine(runner.Data, "runner", "pods", uid, "volumes", "v")));
    }
}
