using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>What administrators do to a workspace, against an API.</summary>
public abstract class AdministrationSuite : OperatorTestBase
{
    private protected override WorkspaceTemplateSpec Studio => new()
    {
        Image = "berth-studio:dev",
        Resources = new TemplateResources
        {
            Requests = new ComputeResources { Cpu = "4000" },
            Limits = new ComputeResources { Cpu = "4000", Memory = "1Gi" },
        },
        Storage = new TemplateStorage { Size = "1Gi" },
    };

    private protected override OperatorOptions With(OperatorOptions options) => options with
    {
        // A volume of a GiB for 30 days costs as much as the whole budget in a second.
        Policy = new BerthPolicySpec
        {
            Prices = new PolicyPrices { Currency = "EUR", StorageGiBMonth = "2592000" },
            Budgets = new PolicyBudgets { PerPerson = "12" },
        },
    };

    [SkippableFact]
    public async Task Frozen_IsStoppedAndDoesNotStart_UntilUnfrozen()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"administration":{"frozen":true,"by":"root","reason":"Stolen laptop."}}}""");
        await UntilAsync<Pod>(Name, p => p is null);
        var frozen = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Stopped);
        var condition = frozen!.Status!.Conditions!.Single(c => c.Type == ConditionTypes.Admitted);
        Assert.Equal(("False", Reasons.Frozen), (condition.Status, condition.Reason));
        Assert.Contains("Stolen laptop", frozen.Status.Message, StringComparison.Ordinal);

        // A wish to start changes nothing.
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Stopped"}}""");
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running","lastRequest":{"by":"user","reason":"Manual"}}}""");
        var generation = (await Client.GetAsync<UserWorkspace>(Ns, Name, default)).Metadata.Generation;
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.ObservedGeneration == generation);
        Assert.Null(await Client.TryGetAsync<Pod>(Ns, Name, default));
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"administration":{"frozen":false}}}""");
        await UntilAsync<Pod>(Name, p => p is not null);
        await EventsAsync(e => e.Count(x => x.Reason == AuditActions.Freeze) == 1 && e.Count(x => x.Reason == AuditActions.Unfreeze) == 1
            && e.First(x => x.Reason == AuditActions.Freeze).Message!.Contains("root", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task ForceStop_EndsThePodWithoutGrace_AndItStaysDown()
    {
        SkipIfThereIsNoApi();
        await CreateAsync();
        await UntilAsync<Pod>(Name, p => p is not null);
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"administration":{"forceStopAt":"2030-01-01T00:00:00Z","by":"root"}}}""");
        await UntilAsync<Pod>(Name, p => p is null);
        var stopped = await UntilAsync<UserWorkspace>(Name, w => w?.Status is { Phase: WorkspacePhases.Stopped, ForcedStopAt: not null });
        Assert.Equal(DesiredStates.Stopped, stopped!.Spec.DesiredState);
        Assert.Equal((RequestedBy.Admin, RequestReasons.ForceStop), (stopped.Spec.LastRequest!.By, stopped.Spec.LastRequest.Reason));
        await EventsAsync(e => e.Count(x => x.Reason == AuditActions.ForceStop) == 1);

        // Served: a later start runs.
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"desiredState":"Running","lastRequest":{"by":"user","reason":"Manual"}}}""");
        await UntilAsync<Pod>(Name, p => p is not null);
        await EventsAsync(e => e.Count(x => x.Reason == AuditActions.ForceStop) == 1);
    }

    [SkippableFact]
    public async Task LegalHold_DeletionWaits_AndTheVolumeStays_UntilItEnds()
    {
        SkipIfThereIsNoApi();
        await CreateAsync(s => s with
        {
            Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete },
            Administration = new WorkspaceAdministration { LegalHold = true, By = "counsel", Reason = "Case 7." },
        });
        await UntilAsync<UserWorkspace>(Name, w => w?.Metadata.Finalizers?.Contains(WorkspaceFinalizers.LegalHold) == true);
        var volume = await UntilAsync<PersistentVolumeClaim>(Name, v =>
            v?.Metadata.Finalizers?.Contains(WorkspaceFinalizers.LegalHold) == true);
        Assert.Equal("true", volume!.Metadata.Annotations![Annotations.LegalHold]);
        await Client.DeleteAsync<UserWorkspace>(Ns, Name, null, default);
        var waiting = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Phase == WorkspacePhases.Terminating);
        Assert.Contains("legal hold", waiting!.Status!.Message, StringComparison.Ordinal);
        Assert.Contains("Case 7", waiting.Status.Message, StringComparison.Ordinal);
        await UntilAsync<Pod>(Name, p => p is null);
        Assert.Null((await Client.GetAsync<PersistentVolumeClaim>(Ns, Name, default)).Metadata.DeletionTimestamp);
        await EventsAsync(e => e.Count(x => x.Reason == AuditActions.LegalHold) == 1);
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"administration":{"legalHold":false}}}""");
        await UntilAsync<UserWorkspace>(Name, w => w is null);
        await UntilAsync<PersistentVolumeClaim>(Name, v => v is null || v.Metadata.DeletionTimestamp is not null);
        await EventsAsync(e => e.Count(x => x.Reason == AuditActions.LegalHoldEnd) == 1);
    }

    [SkippableFact]
    public async Task Budget_EightyAndAHundredPercent_AreToldOnceEach()
    {
        SkipIfThereIsNoApi();
        await CreateAsync(s => s with { DesiredState = DesiredStates.Stopped });
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Usage?.CostMicrosPerHour > 0);
        var events = await EventsAsync(e => e.Count(x => x.Reason == Reasons.BudgetReached) == 2);
        Assert.Contains(events, e => e.Message!.Contains("80 %", StringComparison.Ordinal));
        Assert.Contains(events, e =>
            e.Message!.Contains("100 %", StringComparison.Ordinal) && e.Message.Contains("EUR", StringComparison.Ordinal));
    }

    private async Task<IReadOnlyList<CoreEvent>> EventsAsync(Func<IReadOnlyList<CoreEvent>, bool> condition)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var events = (await Client.ListPageAsync<CoreEvent>(Ns, new ListOptions(), default)).Items;
            if (condition(events))
            {
                return events;
            }

            Assert.False(deadline.IsCancellationRequested, string.Join("; ", events.Select(e => $"{e.Reason} x{e.Count}: {e.Message}")));
            await Task.Delay(100);
        }
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class AdministrationOnKubeServerTests : AdministrationSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class AdministrationOnClusterTests : AdministrationSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
