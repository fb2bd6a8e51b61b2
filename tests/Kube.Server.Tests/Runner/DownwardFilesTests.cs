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

    /// <summary>An application that waits for one of the files must not find another one as it was before.</summary>
    [Fact]
    public async Task Labels_ChangeTogether_TheFilesChangeInOneStep()
    {
        const string items = """
            {"path":"deep/first","fieldRef":{"fieldPath":"metadata.labels['first']"}},
            {"path":"second","fieldRef":{"fieldPath":"metadata.labels['second']"}}
            """;
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreatePodAsync(
            "a",
            "echo up; until [ -s $INFO/deep/first ]; do sleep 0.01; done; echo `cat $INFO/deep/first` `cat $INFO/second` `cat $SUB`; "
                + "exec sleep 1000",
            """ "volumes":[{"name":"v","downwardAPI":{"items":[ """ + items + "]}}]",
            """
            "env":[{"name":"INFO","value":"/info"},{"name":"SUB","value":"/sub"}],
            "volumeMounts":[{"name":"v","mountPath":"/info"},{"name":"v","mountPath":"/sub","subPath":"deep/first"}]
            """);
        await runner.WaitLogAsync("a", "up");
        var uid = (string)runner.Pod("a")!["metadata"]!["uid"]!;
        var volume = Path.Combine(runner.Data, "runner", "pods", uid, "volumes", "v");
        var former = Assert.Single(Folders());
        await runner.Cluster.ModifyAsync(GroupResource.Pods, "default", "a", pod =>
        {
            var labels = (JsonObject)pod["metadata"]!["labels"]!;
            (labels["first"], labels["second"]) = ("ada", "bob");
            return true;
        });
        await runner.WaitLogAsync("a", "ada bob ada");
        Assert.NotEqual(former, Assert.Single(Folders()));

        // What all paths lead to: one folder, by one link, so there is a single moment at which all are new.
        IEnumerable<string> Folders() => ((string[])["deep", "second"])
            .Select(f => new FileInfo(Path.Combine(volume, f)).LinkTarget!)
            .Select(target => Path.GetDirectoryName(target)!)
            .Distinct()
            .Select(link => new FileInfo(Path.Combine(volume, link)).LinkTarget!);
    }

    [Fact]
    public async Task Label_ChangesWhileTheFilesCannotBeWritten_TheyFollowOnceTheyCan()
    {
        const string map = """{"metadata":{"name":"c"},"data":{"text":"hello"}}""";
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.ConfigMaps, map);
        await runner.CreatePodAsync(
            "a",
            "echo up; until [ -s $INFO/who ]; do sleep 0.05; done; echo `cat $INFO/text` `cat $INFO/who`; exec sleep 1000",
            """ "volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"c"}},{ """ + Source + " }]}}]",
            """ "env":[{"name":"INFO","value":"/info"}],"volumeMounts":[{"name":"v","mountPath":"/info"}] """);
        await runner.WaitLogAsync("a", "up");
        await runner.Cluster.DeleteAsync(GroupResource.ConfigMaps, "default", "c");
        await runner.Cluster.ModifyAsync(GroupResource.Pods, "default", "a", pod =>
        {
            ((JsonObject)pod["metadata"]!["labels"]!)["owner"] = "ada";
            return true;
        });
        await runner.WaitEventAsync("FailedMount", "\"c\" not found");
        await runner.CreateAsync(GroupResource.ConfigMaps, map);
        await runner.WaitLogAsync("a", "hello ada");
    }
}
