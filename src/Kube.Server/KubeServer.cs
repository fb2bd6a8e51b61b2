using Microsoft.Extensions.Logging;

namespace Kube.Server;

/// <summary>A running embedded Kubernetes API.</summary>
public sealed class KubeServer : IAsyncDisposable
{
    internal KubeServer(IClusterApi api, Uri baseUri, string kubeconfig)
    {
        Api = api;
        BaseUri = baseUri;
        Kubeconfig = kubeconfig;
    }

    /// <summary>The API without HTTP.</summary>
    public IClusterApi Api { get; }

    /// <summary>Where it listens, for example <c>https://127.0.0.1:6443/</c>.</summary>
    public Uri BaseUri { get; }

    /// <summary>A kubeconfig (YAML) with the CA and the administrator's token: a secret.</summary>
    public string Kubeconfig { get; }

    /// <summary>Recovers the data, starts the controllers and listens.</summary>
    /// <param name="options">How to run.</param>
    /// <param name="loggerFactory">Logs.</param>
    /// <param name="timeProvider">Clock.</param>
    /// <param name="cancellationToken">Calls the start off.</param>
    /// <exception cref="InvalidOperationException">The port or the data folder is in use, or the data is damaged; the message names it.</exception>
    public static Task<KubeServer> StartAsync(
        KubeServerOptions options, ILoggerFactory loggerFactory, TimeProvider timeProvider, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <summary>Writes <see cref="Kubeconfig"/> to a file only the user can read, replacing it atomically.</summary>
    /// <param name="path">Target file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task WriteKubeconfigAsync(string path, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Stops the controllers, ends watches and closes the store.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
