using System.Text;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>The policy in effect follows its resource, against an API.</summary>
public abstract class PolicySuite : OperatorTestBase
{
    private protected override WorkspaceTemplateSpec Studio => new() { Image = "berth-studio:dev" };

    [SkippableFact]
    public async Task Policy_CameChangedSpoiltAndWent_IsFollowed()
    {
        SkipIfThereIsNoApi();
        var events = new Events();
        using var informers = new InformerFactory(Client, TimeProvider.System, NullLoggerFactory.Instance);
        var source = new PolicySource(Client, informers, Ns, new BerthPolicySpec { PerPerson = new PolicyCeilings { Running = 9 } }, events,
            TimeProvider.System, NullLogger.Instance);
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(informers.RunAsync(stop.Token), source.RunAsync(stop.Token));
        try
        {
            await source.WaitAsync(stop.Token);
            Assert.Equal(9, source.Current.Spec.PerPerson!.Running);

            await Client.CreateAsync(new BerthPolicy
            {
                Metadata = new ObjectMeta { Name = Ns },
                Spec = new BerthPolicySpec { PerPerson = new PolicyCeilings { Running = 2 } },
            }, null, stop.Token);
            await UntilAsync(() => source.Current.Spec.PerPerson?.Running == 2);

            // Schemas cannot tell a schedule from other text, so this one gets past the API.
            await ChangeAsync("""{"spec":{"storage":{"backupSchedule":"at tea time"},"perPerson":{"running":3}}}""");
            await UntilAsync(() => source.Current.Spec.PerPerson?.Running == 3);
            Assert.Null(source.Current.Spec.Storage?.BackupSchedule);
            await UntilAsync(() => events.Warnings.Count == 1);
            Assert.StartsWith("spec.storage.backupSchedule", events.Warnings[0], StringComparison.Ordinal);

            await Client.DeleteAsync<BerthPolicy>(null, Ns, null, stop.Token);
            await UntilAsync(() => source.Current.Spec.PerPerson?.Running == 9);
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }

    private Task<BerthPolicy> ChangeAsync(string json) =>
        Client.PatchAsync<BerthPolicy>(null, Ns, KubePatch.Merge(Encoding.UTF8.GetBytes(json)), null, default);

    private async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!condition())
        {
            await Task.Delay(20, deadline.Token);
        }
    }

    private sealed class Events : IEventRecorder
    {
        internal List<string> Warnings { get; } = [];

        public void Normal(IKubeObject about, string reason, string message)
        {
        }

        public void Warning(IKubeObject about, string reason, string message) => Warnings.Add(message);
    }
}

/// <summary>The suite on the embedded API.</summary>
public sealed class PolicyOnKubeServerTests : PolicySuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class PolicyOnClusterTests : PolicySuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
