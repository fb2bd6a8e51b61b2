using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public abstract partial class RunningSuite
{
    /// <summary>
    /// The application waits until it is told whose it is, and then writes a file as that person would.
    /// </summary>
    private const string WritesWhenItKnows =
        """
        cat "$WORKSPACE_ROOT/file" 2>/dev/null
        (while :; do
           name=`cat "$WORKSPACE_INFO/name"`
           [ -n "$name" ] && echo "written by $name at `cat "$WORKSPACE_INFO/url"`" >> "$WORKSPACE_ROOT/file" && echo "knows $name" && break
           sleep 0.1
         done) &
        """;

    [SkippableFact]
    public async Task WarmClaim_ThePodLearnsWhoseItIs_AndAColdStartFindsItsFiles()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(
            Spec(Image, $"{WritesWhenItKnows}\nexec {Command}") with { WarmPool = new TemplateWarmPool { Size = 1 } });
        var waiting = await WaitingPodAsync();
        await PrepareVolumeAsync(waiting.Metadata.Name!);
        Assert.DoesNotContain("knows", await LogAsync(waiting.Metadata.Name!), StringComparison.Ordinal);

        await PoolFigures.UntilReadyAsync(Ns, 1, Deadline);
        await CreateAsync();
        await ReadyPodAsync(waiting.Metadata.Name!);
        var workspace = await Client.GetAsync<UserWorkspace>(Ns, Name, default);
        Assert.Equal(StartPaths.Warm, workspace.Status!.Start!.Path);
        Assert.Equal(waiting.Metadata.Name, workspace.Status.PodName);
        Assert.Equal(waiting.Metadata.Uid, (await Client.GetAsync<Pod>(Ns, waiting.Metadata.Name!, default)).Metadata.Uid);
        Assert.Equal("ok", (await AskAsync("/healthz")).Trim());
        await UntilLogAsync(waiting.Metadata.Name!, $"knows {Name}");

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running"}}""");
        var cold = await ReadyPodAsync();
        Assert.Equal(waiting.Metadata.Name, PodForm.ClaimOf(cold));
        await UntilLogAsync(Name, $"written by {Name} at http://{Name}.localhost:8080");
        Assert.Equal(StartPaths.Cold, (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Status!.Start!.Path);
    }

    private async Task<Pod> WaitingPodAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var pods = await Client.ListPageAsync<Pod>(Ns, new ListOptions { LabelSelector = Labels.Pool }, deadline.Token);
            if (pods.Items.FirstOrDefault(PoolPods.IsReady) is { } pod)
            {
                return pod;
            }

            await Task.Delay(100, deadline.Token);
        }
    }

    private async Task UntilLogAsync(string pod, string text)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (await LogAsync(pod) is var log && !log.Contains(text, StringComparison.Ordinal))
        {
            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"Pod {pod} has not written '{text}', but: {log}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
    }
}
