using System.Text.Json.Nodes;
using Kube.Server.Runner.Images;
using Kube.Server.Runner.Launch;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Tests.Runner;

/// <summary>Whose paths are rewritten: the pod's, which mean the container's file system; not the machine's own, whatever they look like.</summary>
public sealed class ContainerCommandTests
{
    private static readonly MountTable Mounts = new(new Dictionary<string, string>
    {
        ["/workspace"] = "/tmp/data/volumes/claim",
        ["/tmp"] = "/tmp/data/empty",
    });

    [Fact]
    public void Build_CataloguesPathsBelowAMountPath_StayAsTheyAre()
    {
        var spec = Build("""{"name":"c","env":[{"name":"ROOT","value":"/workspace"}]}""");

        Assert.Equal(["/workspace/berth/app", "/tmp/data/volumes/claim/x"], spec.Command);
        Assert.Equal("/workspace/berth", spec.WorkingDirectory);
        Assert.Equal("/tmp/berth/ca.pem", spec.Environment["CA"]);
        Assert.Equal("/tmp/data/pods/1/home", spec.Environment["HOME"]);
    }

    [Fact]
    public void Build_PodsPathsBelowAMountPath_AreTheFolders()
    {
        var spec = Build("""
            {"name":"c","command":["/workspace/run"],"args":["--root=/workspace/a","$(ROOT)/b","/tmp"],"workingDir":"/workspace/w",
             "env":[{"name":"ROOT","value":"/workspace"},{"name":"SUB","value":"$(ROOT)/s"}]}
            """);

        Assert.Equal(
            ["/tmp/data/volumes/claim/run", "--root=/tmp/data/volumes/claim/a", "/tmp/data/volumes/claim/b", "/tmp/data/empty"],
            spec.Command);
        Assert.Equal("/tmp/data/volumes/claim/w", spec.WorkingDirectory);
        Assert.Equal("/tmp/data/volumes/claim/s", spec.Environment["SUB"]);
    }

    private static Server.Runner.Processes.ProcessSpec Build(string container)
    {
        var pod = PodShape.Read(new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "p", ["namespace"] = "a", ["uid"] = "1" },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(JsonNode.Parse(container)) },
        });
        var context = new ContainerContext
        {
            Pod = pod,
            Container = pod.Containers[0],
            Image = new CatalogImage
            {
                Command = ["/workspace/berth/app"],
                Args = ["$(ROOT)/x"],
                WorkingDirectory = "/workspace/berth",
                Variables = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("CA", "/tmp/berth/ca.pem"),
            },
            Ports = new Dictionary<int, int>(),
            Home = "/tmp/data/pods/1/home",
            Temp = "/tmp/k1",
            SearchPath = "/usr/bin",
            Lookup = (_, _) => null,
        };
        return ContainerCommand.Build(context, ContainerEnvironment.Build(context, Mounts), Mounts);
    }
}
