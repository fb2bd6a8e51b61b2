using Testing;

namespace Kube.Server.Tests.Http;

/// <summary>The kubectl on PATH with built-in kinds.</summary>
public sealed class KubectlTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: { name: p, namespace: kubectl }
        spec:
          containers:
          - { name: a, image: "a:1" }
        """;

    [SkippableFact]
    public async Task Kubectl_ApplyGetDescribeExplainDiffPatchLabelWaitDelete_Work()
    {
        Skip.If(Tools.Kubectl is null, "kubectl is not on PATH");
        using var kubectl = new Kubectl(Tools.Kubectl);
        await kubectl.ConnectAsync(api.Server);
        var manifest = kubectl.Write("pod.yaml", Pod);
        await kubectl.RunAsync("create namespace kubectl");
        Assert.Contains("pod/p created", await kubectl.RunAsync($"apply -f {manifest}"), StringComparison.Ordinal);
        Assert.Contains("pod/p unchanged", await kubectl.RunAsync($"apply -f {manifest}"), StringComparison.Ordinal);
        Assert.Contains("Pending", await kubectl.RunAsync("get pods -n kubectl -o wide"), StringComparison.Ordinal);
        Assert.Contains("Image:", await kubectl.RunAsync("describe pod p -n kubectl"), StringComparison.Ordinal);
        Assert.Contains("restartPolicy", await kubectl.RunAsync("explain pod.spec"), StringComparison.Ordinal);
        kubectl.Write("pod.yaml", Pod.Replace("a:1", "a:2", StringComparison.Ordinal));
        Assert.Contains("a:2", await kubectl.RunAsync($"diff -f {manifest}", expected: 1), StringComparison.Ordinal);
        await kubectl.RunAsync($"apply --server-side --force-conflicts -f {manifest}");
        await kubectl.RunAsync("label pod p -n kubectl x=y");
        await kubectl.RunAsync("""patch pod p -n kubectl --type=merge -p {"metadata":{"annotations":{"a":"b"}}}""");
        Assert.Contains("edited", await kubectl.RunAsync("edit pod p -n kubectl", editor: "sed -i s/a:2/a:3/"), StringComparison.Ordinal);
        Assert.Equal("a:3", await kubectl.RunAsync("get pod p -n kubectl -o jsonpath={.spec.containers[0].image}"));
        Assert.Contains("p", await kubectl.RunAsync("get pods -n kubectl -l x=y -o name"), StringComparison.Ordinal);
        await kubectl.RunAsync("wait pod/p -n kubectl --for=jsonpath={.status.phase}=Pending --timeout=30s");
        await kubectl.RunAsync("create configmap c -n kubectl --from-literal=k=v");
        await kubectl.RunAsync("create secret generic s -n kubectl --from-literal=k=v");
        Assert.Equal("dg==", await kubectl.RunAsync("get secret s -n kubectl -o jsonpath={.data.k}"));
        Assert.Contains("yes", await kubectl.RunAsync("auth can-i delete pods"), StringComparison.Ordinal);
        Assert.Contains("kind: List", await kubectl.RunAsync("get pods,configmaps -n kubectl -o yaml"), StringComparison.Ordinal);
        await kubectl.RunAsync("delete configmaps --all -n kubectl");
        await kubectl.RunAsync("delete pod p -n kubectl");
        await kubectl.RunAsync("delete namespace kubectl --timeout=60s");
    }

    [SkippableFact]
    public async Task Kubectl_Scale_ChangesACustomKind()
    {
        Skip.If(Tools.Kubectl is null, "kubectl is not on PATH");
        using var kubectl = new Kubectl(Tools.Kubectl);
        await kubectl.ConnectAsync(api.Server);
        await kubectl.RunAsync($"apply -f {kubectl.Write("crd.json", Crds.Gears)}");
        var gear = kubectl.Write("gear.yaml",
            "apiVersion: example.com/v2\nkind: Gear\nmetadata: {name: g}\nspec: {teeth: 3, replicas: 1}\n");
        await kubectl.RunAsync($"apply -f {gear}");
        Assert.Contains("scaled", await kubectl.RunAsync("scale gear/g --replicas=4"), StringComparison.Ordinal);
        Assert.Equal("4", await kubectl.RunAsync("get gear g -o jsonpath={.spec.replicas}"));
    }
}
