using System.Diagnostics;
using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// Pods as containers, where the cluster has a node: BERTH_TEST_NODE_IMAGE names a studio image that nodes have or can pull
/// (<c>make images</c> builds berth-studio:dev).
/// </summary>
public sealed class RunningOnClusterTests : RunningSuite
{
    private static readonly string? NodeImage = Environment.GetEnvironmentVariable("BERTH_TEST_NODE_IMAGE") is { Length: > 0 } image
        ? image : null;

    private protected override string Image => NodeImage!;

    private protected override string Command => "/app/Berth.Studio";

    private protected override async Task<TestedApi> OpenAsync() => NodeImage is null
        ? new(null, null, "BERTH_TEST_NODE_IMAGE names no studio image that the cluster's nodes can run.")
        : await TestedApi.ClusterAsync();

    [SkippableFact]
    public async Task Container_IsNotRoot_AndItsRootIsReadOnly()
    {
        SkipIfThereIsNoApi();
        await RunAsync();
        var log = await LogAsync();
        Assert.Contains("start 1 as 1000", log, StringComparison.Ordinal);
        Assert.DoesNotContain("the root is writable", log, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task UsesTooMuchMemory_IsToldWithTheLimit()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Spec(Image, "x=0123456789abcdef; while :; do x=\"$x$x\"; done") with
        {
            Resources = new TemplateResources
            {
                Requests = new ComputeResources { Memory = "32Mi" },
                Limits = new ComputeResources { Memory = "64Mi" },
            },
        });
        await RunAsync(waitUntilReady: false);
        var failed = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure is not null);
        Assert.Equal(
            (FailureClasses.User, Reasons.OutOfMemory), (failed!.Status!.Failure!.Class, failed.Status.Failure.Reason));
        Assert.Contains("64Mi", failed.Status.Failure.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// BERTH_TEST_NODE_STOP and BERTH_TEST_NODE_START are shell commands that kill the kubelet of the only node and start it again: other
    /// people's pods on it would suffer, so it is not done unasked.
    /// </summary>
    [SkippableFact]
    public async Task Kubelet_KilledAndStartedAgain_NoSecondPodIsMade_AndTheWorkspaceGoesOn()
    {
        SkipIfThereIsNoApi();
        var stop = Environment.GetEnvironmentVariable("BERTH_TEST_NODE_STOP");
        var start = Environment.GetEnvironmentVariable("BERTH_TEST_NODE_START");
        Skip.If(string.IsNullOrEmpty(stop) || string.IsNullOrEmpty(start),
            "BERTH_TEST_NODE_STOP and BERTH_TEST_NODE_START do not say how to kill and start the kubelet.");

        await RunAsync();
        var pod = await UntilAsync<Pod>(Name, p => p?.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true);
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Running);
        try
        {
            await ShellAsync(stop!);

            // The node controller waits 40 s for a node that is silent, then says that its pods are not ready.
            var silent = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase != WorkspacePhases.Running);
            Assert.False(string.IsNullOrEmpty(silent!.Status!.Message));
            Assert.Equal(pod!.Metadata.Uid, Assert.Single(await PodsAsync()).Metadata.Uid);
        }
        finally
        {
            await ShellAsync(start!);
        }

        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Running);
        Assert.Equal("ok", (await AskAsync("/healthz")).Trim());
        Assert.Single(await PodsAsync());
    }

    private async Task<IReadOnlyList<Pod>> PodsAsync() => (await Client.ListPageAsync<Pod>(
        Ns, new ListOptions { LabelSelector = $"{Labels.Workspace}={Name}" }, default)).Items;

    private static async Task ShellAsync(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", command } })!;
        await shell.WaitForExitAsync();
        Assert.Equal(0, shell.ExitCode);
    }

    /// <summary>
    /// The provisioner of host paths makes folders that only root may write to, and the kubelet applies fsGroup to no host path.
    /// </summary>
    private protected override async Task PrepareVolumeAsync(string claim = Name)
    {
        const string pod = "prepare";
        await Client.CreateAsync(
            new Pod
            {
                Metadata = new ObjectMeta { Name = pod, Namespace = Ns },
                Spec = new PodSpec
                {
                    RestartPolicy = "Never",

                    // A namespace that was just made has none yet on older clusters, and the pod no use for it.
                    AutomountServiceAccountToken = false,
                    SecurityContext = new PodSecurityContext { RunAsUser = 0 },
                    Containers =
                    [
                        new Container
                        {
                            Name = "prepare", Image = Image, Command = ["/bin/chmod", "0777", "/volume"],
                            VolumeMounts = [new VolumeMount { Name = "volume", MountPath = "/volume" }],
                        },
                    ],
                    Volumes =
                    [
                        new Volume
                        {
                            Name = "volume",
                            PersistentVolumeClaim = new PersistentVolumeClaimVolumeSource { ClaimName = claim },
                        },
                    ],
                },
            },
            null,
            default);
        await UntilAsync<Pod>(pod, p => p?.Status?.Phase == "Succeeded");
        await Client.DeleteAsync<Pod>(Ns, pod, new DeleteOptions { GracePeriodSeconds = 0 }, default);
    }

    // Through the API server, which reaches Services wherever the tests run.
    private protected override async Task<string> AskAsync(string path) => Encoding.UTF8.GetString(await Client.Raw.SendAsync(
        HttpMethod.Get, $"/api/v1/namespaces/{Ns}/services/{Name}:http/proxy{path}", ReadOnlyMemory<byte>.Empty, null, default));
}
