using System.Diagnostics;

namespace Kube.Server.Tests.Http;

/// <summary>The real kubectl against the real server.</summary>
public sealed class KubectlTests(ApiFixture api) : IClassFixture<ApiFixture>
{
    [SkippableFact]
    public async Task Kubectl_ApplyGetDescribeExplainDiffPatchLabelWaitDelete_Work()
    {
        var binary = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(p => Path.Combine(p, "kubectl")).FirstOrDefault(File.Exists);
        Skip.If(binary is null, "kubectl is not on PATH");
        var folder = Directory.CreateTempSubdirectory("kubectl-").FullName;
        try
        {
            var config = Path.Combine(folder, "config");
            await api.Server.WriteKubeconfigAsync(config);
            var manifest = Path.Combine(folder, "pod.yaml");
            await File.WriteAllTextAsync(manifest, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: kubectl}\nspec:\n  containers:\n  - {name: a, image: \"a:1\"}\n");
            async Task<string> Run(string arguments, int expected = 0)
            {
                var start = new ProcessStartInfo(binary!, ["--kubeconfig", config, "--cache-dir", folder + "/cache", .. arguments.Split(' ')]) { RedirectStandardOutput = true, RedirectStandardError = true };
                using var process = Process.Start(start)!;
                var output = process.StandardOutput.ReadToEndAsync();
                var errors = process.StandardError.ReadToEndAsync();
                await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
                Assert.True(process.ExitCode == expected, $"kubectl {arguments}: exit {process.ExitCode}\n{await output}\n{await errors}");
                return await output;
            }
            await Run("create namespace kubectl");
            Assert.Contains("pod/p created", await Run($"apply -f {manifest}"), StringComparison.Ordinal);
            Assert.Contains("pod/p unchanged", await Run($"apply -f {manifest}"), StringComparison.Ordinal);
            Assert.Contains("Pending", await Run("get pods -n kubectl -o wide"), StringComparison.Ordinal);
            Assert.Contains("Image:", await Run("describe pod p -n kubectl"), StringComparison.Ordinal);
            Assert.Contains("restartPolicy", await Run("explain pod.spec"), StringComparison.Ordinal);
            await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest)).Replace("a:1", "a:2", StringComparison.Ordinal));
            Assert.Contains("a:2", await Run($"diff -f {manifest}", expected: 1), StringComparison.Ordinal);
            await Run($"apply --server-side --force-conflicts -f {manifest}");
            await Run("label pod p -n kubectl x=y");
            await Run("patch pod p -n kubectl --type=merge -p {\"metadata\":{\"annotations\":{\"a\":\"b\"}}}");
            await Run("wait pod/p -n kubectl --for=jsonpath={.status.phase}=Pending --timeout=30s");
            await Run("delete pod p -n kubectl");
            await Run("delete namespace kubectl --timeout=60s");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
