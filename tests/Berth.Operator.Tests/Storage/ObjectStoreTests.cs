using System.Text;
using Berth.Resources;
using Kube.Client.Models;
using Kube.Server.Runner;

namespace Berth.Operator.Tests;

/// <summary>The whole way to an object store and back: operator, Job, the archive command as a process, S3.</summary>
public sealed class ObjectStoreTests : OperatorTestBase
{
    private readonly TinyS3 _store = new();
    private string _data = "";

    private protected override WorkspaceTemplateSpec Studio => new() { Image = "nothing", Storage = new TemplateStorage { Size = "1Gi" } };

    private string Volume => Path.Combine(_data, "volumes", Ns, Name);

    private protected override OperatorOptions With(OperatorOptions options) => options with
    {
        Backup = new BackupOptions { S3Endpoint = _store.Endpoint.ToString(), S3Bucket = "backups", S3Prefix = "berth" },
    };

    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync(options =>
    {
        _data = options.DataDirectory;
        var catalogue = Path.Combine(_data, "images.yaml");
        var program = Path.Combine(AppContext.BaseDirectory, "Berth.Operator.dll");
        File.WriteAllText(catalogue, $"berth-operator:dev: {{ command: [dotnet, \"{program}\"] }}\n");
        return options with { Runner = new PodRunnerOptions { ImageCatalog = catalogue, ShutdownGrace = TimeSpan.FromSeconds(1) } };
    });

    [Fact]
    public async Task StoppedWorkspace_SavedToTheStore_AndBroughtBack()
    {
        await Client.CreateAsync(
            new Secret
            {
                Metadata = new ObjectMeta { Name = "berth-backup", Namespace = Ns },
                Data = new Dictionary<string, byte[]>
                {
                    ["AWS_ACCESS_KEY_ID"] = Encoding.UTF8.GetBytes("key"),
                    ["AWS_SECRET_ACCESS_KEY"] = Encoding.UTF8.GetBytes("secret"),
                },
            },
            null,
            default);
        await CreateAsync(s => s with { DesiredState = DesiredStates.Stopped });
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Capacity is not null);
        Directory.CreateDirectory(Volume);
        await File.WriteAllTextAsync(Path.Combine(Volume, "file"), "precious");

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"storage":{"backup":{"requestedAt":"2026-01-01T00:00:00Z"}}}}""");
        var saved = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.BackupRequestedAt is not null);
        var backup = saved!.Status!.Storage!.Backups![0];
        Assert.True(backup is { State: "Succeeded", Verified: true }, backup.Message);
        Assert.All(_store.Objects.Keys, k => Assert.StartsWith($"berth/{Ns}/{Name}-", k, StringComparison.Ordinal));

        File.Delete(Path.Combine(Volume, "file"));
        await PatchAsync<UserWorkspace>(Name,
            $$$$$$$"""{"spec":{"storage":{"restore":{"backup":"{{{{{{{backup.Name}}}}}}}","requestedAt":"2026-01-02T00:00:00Z"}}}}""");
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Storage?.Restored?.Backup == backup.Name);
        Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(Volume, "file")));
        await _store.DisposeAsync();
    }
}
