using Berth.Local.Kubernetes;
using Kube.Client;

namespace Berth.Local.Hosting;

/// <summary>
/// The part of Berth that people without a cluster need besides edge and operator: the embedded API with its process runner, and the
/// development provider. Edge and operator run as programs of their own and share the network with it, since workspaces and API are on
/// loopback (docs/examples/compose).
/// </summary>
internal sealed class LocalApi : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _parts;
    private readonly ExportFolder _export;

    private LocalApi(Stack<IAsyncDisposable> parts, ExportFolder export)
    {
        _parts = parts;
        _export = export;
    }

    /// <summary>
    /// Starts it, and writes what the others have to know; at last the file <c>ready</c>, which says that all of it is there.
    /// </summary>
    /// <exception cref="LocalConfigurationException">A port is taken, or a folder cannot be used.</exception>
    public static async Task<LocalApi> StartAsync(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var export = ExportFolder.Open(options.Export!);
        var started = new Stack<IAsyncDisposable>();
        try
        {
            var kubernetes = LocalBerth.StartKubernetesAsync(options, data, loggers, clock, cancellationToken);
            var provider = LocalBerth.StartProviderAsync(options, data, clock, cancellationToken);
            await Task.WhenAll(kubernetes, provider)
                .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            LocalBerth.Keep(started, kubernetes, k => k);
            LocalBerth.Keep(started, provider, p => p.Provider);
            var api = await kubernetes;
            var (idp, idpOptions) = await provider;

            var client = KubeClient.Create(
                KubeConfig.Parse(api.Kubeconfig),
                new KubeClientOptions
                {
                    TimeProvider = clock,
                    LoggerFactory = loggers,
                    UserAgent = "berth-local/0.1",
                }
            );
            started.Push(new LocalBerth.Disposal(client));
            await InitialObjects.ApplyAsync(client, Configuration.Namespace, [Configuration.Connection], clock, cancellationToken);
            export.Write(options, data, idp!, idpOptions!, api.Kubeconfig);
            return new LocalApi(started, export);
        }
        catch
        {
            await LocalBerth.StopAsync(started);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _export.Withdraw();
        return LocalBerth.StopAsync(_parts);
    }
}
