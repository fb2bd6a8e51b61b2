using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Programs that end again and again, templates that fail, and a look at what failed.</summary>
public abstract partial class RunningSuite
{
    [SkippableFact]
    public async Task EndsAgainAndAgain_IsToldAsACrashLoop()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Spec(Image, "exit 3"));
        await RunAsync(waitUntilReady: false);
        var failed = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.Reason == Reasons.CrashLoop);
        Assert.Equal((FailureClasses.User, 3), (failed!.Status!.Failure!.Class, failed.Status.Failure.Attempts));
        Assert.Contains("exit code 3", failed.Status.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task WrongImage_WithAFallback_IsMadeFromIt()
    {
        SkipIfThereIsNoApi();
        await Client.CreateAsync(
            new WorkspaceTemplate { Metadata = new ObjectMeta { Name = "safe", Namespace = Ns }, Spec = Studio }, null, default);
        await ChangeTemplateAsync(Studio with { Image = "berth-tests/no-such:1", FallbackTemplate = "safe" });
        await RunAsync(waitUntilReady: false);

        // Three pods come and go, each at the node's leisure.
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.Attempts == 2);
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.TemplateRevision?.Fallback is not null);
        await ReadyPodAsync();
        var workspace = await Client.GetAsync<UserWorkspace>(Ns, Name, default);
        Assert.Equal("safe", workspace.Status!.TemplateRevision!.Fallback?.Template);
        Assert.Contains(
            workspace.Status.Conditions!,
            c => c is { Type: ConditionTypes.TemplateResolved, Status: "True", Reason: Reasons.Fallback });
    }

    [SkippableFact]
    public async Task Debug_FailedPodIsKept_AndItsLogCanBeRead()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Spec(Image, "exit 3"));
        await CreateAsync(s => s with { DesiredState = DesiredStates.Stopped, Debug = true });
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is not null);
        await PrepareVolumeAsync();
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running"}}""");
        var failed = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Failure?.Message?.Contains("kept for a look",
            StringComparison.Ordinal) == true);
        Assert.Null(failed!.Status!.Failure!.NextRetryAt);
        var pod = await Client.GetAsync<Pod>(Ns, Name, default);
        Assert.Contains("start 1", await LogAsync(), StringComparison.Ordinal);

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"debug":null}}""");
        await UntilAsync<Pod>(Name, p => p is not null && p.Metadata.Uid != pod.Metadata.Uid);
    }
}
