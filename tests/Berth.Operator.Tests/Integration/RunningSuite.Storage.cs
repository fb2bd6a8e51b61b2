using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>Backups and restores of volumes that programs really write to.</summary>
public abstract partial class RunningSuite
{
    private const string Archives = "archives";

    private protected override OperatorOptions With(OperatorOptions options) =>
        options with { Backup = new BackupOptions { Claim = Archives, Image = BackupImage } };

    /// <summary>Image that holds the operator's archive command.</summary>
    private protected virtual string BackupImage => "berth-operator:dev";

    [SkippableFact]
    public async Task Backup_OfARunningWorkspace_BringsDestroyedFilesBack()
    {
        SkipIfThereIsNoApi();
        await ChangeTemplateAsync(Spec(Image, $"""
            d="{Volume}/data"
            if [ "$n" = 1 ]; then
              mkdir -p "$d/sub" && echo precious > "$d/sub/file" && ln -s sub/file "$d/link" && chmod 640 "$d/sub/file"
            elif ls -d "{Volume}"/.berth-before-restore-* >/dev/null 2>&1; then
              echo "found `cat "$d/link"` `stat -c %a "$d/sub/file"`"
            else
              rm -r "$d" && echo ruined > "{Volume}/ruin"
            fi
            exec {Command}
            """));
        await CreateArchivesAsync();
        await RunAsync();
        await PatchAsync<UserWorkspace>(Name, """{"spec":{"storage":{"backup":{"requestedAt":"2026-01-01T00:00:00Z"}}}}""");
        var saved = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Backups is [{ State: not "Pending" }, ..]
            && w.Status.Storage.BackupRequestedAt is not null);
        var backup = saved!.Status!.Storage!.Backups![0];
        Assert.True(backup is { State: "Succeeded", Verified: true, Kind: "Archive" }, backup.Message);
        Assert.Equal(WorkspacePhases.Running, saved.Status.Phase);

        await PatchAsync<UserWorkspace>(Name, """{"metadata":{"annotations":{"berth.dev/restartedAt":"2030-01-01T00:00:00Z"}}}""");
        await UntilAsync<Pod>(Name, p => p?.Metadata.Annotations?.GetValueOrDefault(Annotations.RestartedAt) is not null);
        var ruined = await ReadyPodAsync();
        Assert.Contains("start 2", await LogAsync(), StringComparison.Ordinal);

        await PatchAsync<UserWorkspace>(Name,
            $$$$$$$"""{"spec":{"storage":{"restore":{"backup":"{{{{{{{backup.Name}}}}}}}","requestedAt":"2026-01-02T00:00:00Z"}}}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Restored?.Backup == backup.Name);
        await UntilAsync<Pod>(Name, p => p is not null && p.Metadata.Uid != ruined.Metadata.Uid);
        await ReadyPodAsync();
        var log = await LogAsync();
        Assert.Contains("start 2", log, StringComparison.Ordinal);
        Assert.Contains("found precious 640", log, StringComparison.Ordinal);

        // Nothing is left behind in the namespace.
        await UntilAsync<Namespace>(Ns, _ => true);
        using var deadline = new CancellationTokenSource(Deadline);
        while ((await Client.ListPageAsync<Job>(Ns, new ListOptions(), deadline.Token)).Items.Count > 0)
        {
            await Task.Delay(200, deadline.Token);
        }
    }

    [SkippableFact]
    public async Task Restore_OfABackupThatIsNot_IsToldAndTheWorkspaceStartsAsItWas()
    {
        SkipIfThereIsNoApi();
        await CreateArchivesAsync();
        await RunAsync();
        await PatchAsync<UserWorkspace>(Name,
            """{"spec":{"storage":{"restore":{"backup":"20200101-000000","requestedAt":"2026-01-02T00:00:00Z"}}}}""");
        var told = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Restored is not null);
        var condition = told!.Status!.Conditions!.Single(c => c.Type == ConditionTypes.StorageReady);
        Assert.Contains("There is no archive '20200101-000000'", condition.Message, StringComparison.Ordinal);
        await ReadyPodAsync();
        Assert.Contains("start 2", await LogAsync(), StringComparison.Ordinal);
    }

    private async Task CreateArchivesAsync()
    {
        await Client.CreateAsync(
            new PersistentVolumeClaim
            {
                Metadata = new ObjectMeta { Name = Archives, Namespace = Ns },
                Spec = new PersistentVolumeClaimSpec
                {
                    AccessModes = ["ReadWriteOnce"],
                    Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = "1Gi" } },
                },
            },
            null,
            default);
        await PrepareVolumeAsync(Archives);
    }
}
