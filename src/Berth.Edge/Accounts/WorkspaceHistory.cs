using System.Collections.Concurrent;
using Berth.Accounts;
using Berth.Resources;
using Kube.Runtime;

namespace Berth.Edge;

/// <summary>
/// Writes what the watch sees of workspaces into their history and usage. Every replica does it: the store keeps one of each, and a
/// replica that was away loses nothing that the object still says.
/// </summary>
internal sealed class WorkspaceHistory(WorkspaceWatch watch, IAccountStore accounts, TimeProvider clock) : BackgroundService
{
    // What is lost of the usage of a run when every replica and the operator end at once.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    // An object changes for many reasons; only what it says anew goes to the store.
    private readonly ConcurrentDictionary<string, HashSet<string>> _recorded = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        watch.OnWorkspace(See);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                foreach (var workspace in watch.All())
                {
                    RecordUsage(workspace);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void See(InformerEvent<UserWorkspace> change)
    {
        var workspace = change.Resource;
        if (change.Kind == InformerEventKind.Deleted)
        {
            RecordUsage(workspace);
            if (WorkspaceEvents.DeletionOf(workspace, clock.GetUtcNow()) is { } deletion)
            {
                accounts.WorkspaceRecords.Record(deletion);
                _recorded.TryRemove(workspace.Metadata.Uid!, out _);
            }

            return;
        }

        var said = WorkspaceEvents.RecordsOf(workspace).ToArray();
        if (said.Length == 0)
        {
            return;
        }

        var before = _recorded.GetValueOrDefault(workspace.Metadata.Uid!);
        foreach (var record in said.Where(r => before?.Contains(r.Event) != true))
        {
            accounts.WorkspaceRecords.Record(record);
            if (record.Kind is "stop" or "fail")
            {
                RecordUsage(workspace);
            }
        }

        _recorded[workspace.Metadata.Uid!] = [.. said.Select(r => r.Event)];
    }

    private void RecordUsage(UserWorkspace workspace)
    {
        foreach (var slice in WorkspaceEvents.UsageOf(workspace, clock.GetUtcNow()))
        {
            accounts.Usage.Record(slice);
        }
    }
}
