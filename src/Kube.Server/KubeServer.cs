using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Controllers;
using Kube.Server.Http;
using Kube.Server.Kinds;
using Kube.Server.Lifecycle;
using Kube.Server.Pipeline;
using Kube.Server.Pki;
using Kube.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kube.Server;

/// <summary>A running embedded Kubernetes API: HTTP/1.1 and HTTP/2 over TLS, a journal on disk, and the controllers it was given.</summary>
public sealed partial class KubeServer : IAsyncDisposable
{
    private static readonly TimeSpan ControllerStop = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private readonly ObjectStore _store;
    private readonly CustomResourceCleaner _cleaner;
    private readonly FileStream _lock;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping;
    private readonly ServerIdentity _identity;
    private readonly Stack<IHostedController> _started;
    private int _disposed;

    private KubeServer(
        WebApplication app, ClusterApi api, CustomResourceCleaner cleaner, FileStream @lock, ServerIdentity identity, ILogger logger,
        CancellationTokenSource stopping, Stack<IHostedController> started, Uri baseUri)
    {
        _app = app;
        _store = api.Store;
        _cleaner = cleaner;
        _lock = @lock;
        _identity = identity;
        _logger = logger;
        _time = api.Time;
        _stopping = stopping;
        _started = started;
        Api = api;
        BaseUri = baseUri;
        Kubeconfig = KubeconfigText(baseUri, identity);
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
    /// <exception cref="InvalidOperationException">The port or the data folder is in use, or the data is damaged; the message names
    /// it.</exception>
    public static async Task<KubeServer> StartAsync(
        KubeServerOptions options, ILoggerFactory loggerFactory, TimeProvider timeProvider, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        ArgumentNullException.ThrowIfNull(timeProvider);
        var began = timeProvider.GetTimestamp();
        var logger = loggerFactory.CreateLogger("Kube.Server");
        var directory = Path.GetFullPath(options.DataDirectory);
        Directory.CreateDirectory(directory);
        var undo = new Stack<Func<ValueTask>>();
        try
        {
            var folderLock = Lock(directory);
            undo.Push(folderLock.DisposeAsync);
            var identity = ServerIdentity.LoadOrCreate(Path.Combine(directory, "pki"), options.Address, timeProvider.GetUtcNow());
            var store = OpenStore(options, directory, logger);
            undo.Push(store.DisposeAsync);
            var registry = new KindRegistry();
            registry.Rebuild(store.State);
            store.Published = changes =>
            {
                if (changes.Any(c => c.Resource == KindRegistry.Crds))
                {
                    registry.Rebuild(store.State);
                }
            };
            var api = new ClusterApi(store, registry, timeProvider);
            await EnsureNamespacesAsync(api).ConfigureAwait(false);
            var stopping = new CancellationTokenSource();
            var (controllers, logs) = BuiltInControllers.Compose(options);
            options = options with { PodLogs = logs };
            var tokens = new ServiceAccountTokens(timeProvider);
            var app = BuildApp(
                options, loggerFactory, identity, new ApiHandler(api, options, identity.Token, tokens, logger, stopping.Token));
            undo.Push(app.DisposeAsync);
            var started = new Stack<IHostedController>();
            var context = new HostedControllerContext(api, loggerFactory, timeProvider, directory) { Tokens = tokens };
            undo.Push(() => StopControllersAsync(started, timeProvider, logger));
            foreach (var controller in controllers)
            {
                await controller.StartAsync(context, cancellationToken).ConfigureAwait(false);
                started.Push(controller);
            }
            await ListenAsync(app, options, cancellationToken).ConfigureAwait(false);
            var cleaner = new CustomResourceCleaner(api, logger);
            cleaner.Start();
            var server = new KubeServer(app, api, cleaner, folderLock, identity, logger, stopping, started, Address(app, options));
            LogStarted(logger, server.BaseUri, timeProvider.GetElapsedTime(began).TotalMilliseconds);
            return server;
        }
        catch
        {
            while (undo.TryPop(out var step))
            {
                await step().ConfigureAwait(false);
            }
            throw;
        }
    }

    /// <summary>Writes <see cref="Kubeconfig"/> to a file only the user can read, replacing it atomically.</summary>
    /// <param name="path">Target file.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task WriteKubeconfigAsync(string path, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        ServerIdentity.WritePrivate(full, Kubeconfig);
        return Task.CompletedTask;
    }

    /// <summary>Stops the controllers, ends watches and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }
        await StopControllersAsync(_started, _time, _logger).ConfigureAwait(false);
        await _cleaner.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
        await _lock.DisposeAsync().ConfigureAwait(false);
        _identity.Certificate.Dispose();
        _stopping.Dispose();
    }

    private static FileStream Lock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new InvalidOperationException(
                $"The data folder {directory} is in use by another server: stop that one, or choose another folder.", e);
        }
    }

    private static ObjectStore OpenStore(KubeServerOptions options, string directory, ILogger logger)
    {
        try
        {
            return new ObjectStore(Path.Combine(directory, "store"),
                new StoreSettings(options.FlushToDisk, options.CompactionBytes, options.HistoryEvents), logger);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidOperationException(e.Message, e);
        }
    }

    private static async Task EnsureNamespacesAsync(ClusterApi api)
    {
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
        {
            if (api.Get(GroupResource.Namespaces, null, name) is null)
            {
                await api.CreateAsync(GroupResource.Namespaces, null,
                    new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }).ConfigureAwait(false);
            }
        }
    }

    private static WebApplication BuildApp(KubeServerOptions options, ILoggerFactory loggerFactory, ServerIdentity identity,
        ApiHandler handler)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Kube.Server" });
        builder.Services.AddSingleton(loggerFactory);
        // Signals belong to the program that holds this server: it ends its clients before it ends what they talk to.
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 2L * Body.Discard;
            // Each watch of a client is one stream of its connection.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(identity.Certificate);
            });
        });
        var app = builder.Build();
        app.Run(handler.HandleAsync);
        return app;
    }

    private static async Task ListenAsync(WebApplication app, KubeServerOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new InvalidOperationException(
                $"Port {options.Port} on {options.Address} is in use: stop what listens there, or choose another port.", e);
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"Cannot listen on {options.Address}:{options.Port}: {e.Message}", e);
        }
    }

    private static Uri Address(WebApplication app, KubeServerOptions options)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var host = options.Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{options.Address}]" : options.Address.ToString();
        return new Uri($"https://{(
            options.Address.Equals(IPAddress.Any) ? "127.0.0.1" : options.Address.Equals(IPAddress.IPv6Any) ? "[::1]"
            : host)}:{new Uri(address).Port}/");
    }

    private static async ValueTask StopControllersAsync(Stack<IHostedController> started, TimeProvider time, ILogger logger)
    {
        while (started.TryPop(out var controller))
        {
            try
            {
                using var hurry = new CancellationTokenSource(ControllerStop, time);
                await controller.StopAsync(hurry.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LogControllerStop(logger, e, controller.Name);
            }
        }
    }

    private static string KubeconfigText(Uri baseUri, ServerIdentity identity) => $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: kube-server
          cluster:
            server: {baseUri.GetLeftPart(UriPartial.Authority)}
            certificate-authority-data: {Convert.ToBase64String(Encoding.UTF8.GetBytes(identity.CaPem))}
        users:
        - name: admin
          user:
            token: {identity.Token}
        contexts:
        - name: kube-server
          context:
            cluster: kube-server
            user: admin
            namespace: default
        current-context: kube-server

        """;

    [LoggerMessage(30, LogLevel.Information, "Kubernetes API at {Address}, started in {Milliseconds:F0} ms")]
    private static partial void LogStarted(ILogger logger, Uri address, double milliseconds);

    [LoggerMessage(31, LogLevel.Warning, "Controller {Name} failed to stop")]
    private static partial void LogControllerStop(ILogger logger, Exception exception, string name);

    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
