using System.Diagnostics;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>The definitions and examples by the commands of the documentation, on an embedded API that has never seen them.</summary>
public sealed class KubectlApplyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [SkippableFact]
    public async Task DefinitionsThenExamples_AreAccepted_AsTheyAre()
    {
        Skip.If(Tools.Kubectl is null, "There is no kubectl on the PATH.");
        var api = await TestedApi.KubeServerAsync();
        await using var server = api.Server;
        var kubeconfig = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(kubeconfig, api.Kubeconfig);
            foreach (var command in (string[])["apply -f crds", "wait --for=condition=Established -f crds", "apply -f docs/examples"])
            {
                var (code, output) = await KubectlAsync(kubeconfig, command);
                Assert.True(code == 0, $"kubectl {command}: {output}");
            }

            // Applied again, nothing changes: what the API makes of them is what they say.
            var (_, again) = await KubectlAsync(kubeconfig, "apply -f crds -f docs/examples");
            Assert.All(
                again.Split('\n', StringSplitOptions.RemoveEmptyEntries),
                l => Assert.EndsWith("unchanged", l, StringComparison.Ordinal)
            );
        }
        finally
        {
            File.Delete(kubeconfig);
        }
    }

    private static async Task<(int Code, string Output)> KubectlAsync(string kubeconfig, string arguments)
    {
        var start = new ProcessStartInfo(Tools.Kubectl!, $"--kubeconfig {kubeconfig} {arguments}")
        {
            WorkingDirectory = Checkout.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(deadline.Token);
        return (process.ExitCode, await output + await error);
    }
}
