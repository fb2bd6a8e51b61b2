using System.Net;
using System.Net.Sockets;
using Berth.Accounts;
using Berth.Local.Identity;
using Berth.Local.Kubernetes;
using Berth.Operator;
using Kube.Client;
using Kube.Server;
using Kube.Server.Runner;

namespace Berth.Local.Hosting;

/// <summary>
/// All of Berth in one process.
/// <code>
///   PostgreSQL ─┐
///   provider  ──┼─► edge + operator ─► ready          stopped in the reverse order: people first, then pods, then what keeps data
///   Kubernetes ─┘
/// </code>
/// </summary>
internal sealed partial class LocalBerth : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _parts = new();
    private readonly WebApplication _app;

    private LocalBerth(WebApplication app, string accounts, bool hasConnections)
    {
        _app = app;
        Accounts = accounts;
        HasConnections = hasConnections;
    }

    /// <summary>Where people, sessions and the audit log are kept, as a sentence.</summary>
    public string Accounts { get; }

    /// <summary>Whether there is something that people can connect.</summary>
    public bool HasConnections { get; }

    /// <summary>Cancelled when a part ended on its own and the rest should.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>Starts everything; what was started is stopped again when something fails.</summary>
    /// <exception cref="LocalConfigurationException">A port is taken.</exception>
    public static async Task<LocalBerth> StartAsync(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        CheckPort("PORT", options.Port);
        var started = new Stack<IAsyncDisposable>();
        try
        {
            return await StartAsync(options, data, loggers, clock, started, cancellationToken);
        }
        catch
        {
            await StopAsync(started);
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => StopAsync(_parts);

    private static async Task<LocalBerth> StartAsync(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        Stack<IAsyncDisposable> started,
        CancellationToken cancellationToken
    )
    {
        // Together, because each waits for something else: one for the disk, one for a child process, one for its first key.
        var postgres = StartPostgresAsync(options, data, loggers, clock, cancellationToken);
        var kubernetes = StartKubernetesAsync(options, data, loggers, clock, cancellationToken);
        var provider = StartProviderAsync(options, data, clock, cancellationToken);
        await Task.WhenAll(postgres, kubernetes, provider)
            .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Keep(started, postgres, p => p.Server);
        Keep(started, kubernetes, k => k);
        Keep(started, provider, p => p.Provider);
        var (server, reason) = await postgres;
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
        started.Push(new Disposal(client));
        var edge = Configuration.EdgeOf(options, data, idp, idpOptions, server?.ConnectionString);
        await InitialObjects.ApplyAsync(client, Configuration.Namespace, [.. edge.Connections.Keys], clock, cancellationToken);

        IAccountStore accounts = server is null
            ? new InMemoryAccountStore(clock)
            : new PostgresAccountStore(server.ConnectionString, clock, loggers);
        started.Push(accounts);
        var app = BuildEdge(options, edge, client, accounts, loggers, clock);
        started.Push(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (IsAddressInUse(e))
        {
            throw InUse("PORT", options.Port);
        }

        var berth = new LocalBerth(app, server is null ? $"memory ({reason})" : "PostgreSQL", edge.Connections.Count > 0);
        await Readiness.WaitAsync(app.Services, clock, cancellationToken);
        foreach (var part in started.Reverse())
        {
            berth._parts.Push(part);
        }

        return berth;
    }

    private static WebApplication BuildEdge(
        LocalOptions options,
        Edge.BerthEdgeOptions edge,
        IKubeClient client,
        IAccountStore accounts,
        ILoggerFactory loggers,
        TimeProvider clock
    )
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Berth.Local" });
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                BerthEdgeExtensions.ConfigureBerthEdge(kestrel);
                kestrel.ListenLocalhost(options.Port);
            });
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(client);
        builder.Services.AddSingleton(accounts);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Services.AddBerthOperator(Configuration.OperatorOf(options), client, Configuration.Namespace);
        builder.Services.AddBerthEdge(edge);
        var app = builder.Build();
        app.UseBerthEdge();
        return app;
    }

    private static async Task<(LocalPostgresServer? Server, string? Reason)> StartPostgresAsync(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        CancellationToken cancellationToken
    ) =>
        options.UsePostgres
            ? await Task.Run(
                () =>
                    LocalPostgresServer.TryStartAsync(
                        data.In("postgres"),
                        clock,
                        loggers.CreateLogger<LocalPostgresServer>(),
                        cancellationToken
                    ),
                cancellationToken
            )
            : (null, "BERTH_POSTGRES is off");

    internal static async Task<KubeServer> StartKubernetesAsync(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        if (options.KubePort != 0)
        {
            CheckPort("KUBE_PORT", options.KubePort);
        }

        var catalogue = data.In("catalogue.yaml");
        var studio = Path.Combine(AppContext.BaseDirectory, "Berth.Studio.dll");
        var archives = Path.Combine(AppContext.BaseDirectory, "Berth.Operator.dll");
        var existing = File.Exists(catalogue) ? await File.ReadAllTextAsync(catalogue, cancellationToken) : null;
        if (!ImageCatalogue.CanBeKept(existing))
        {
            DataFolder.WritePrivate(catalogue + ".before", existing!);
            LogCatalogueReplaced(loggers.CreateLogger<LocalBerth>(), catalogue, ImageCatalogue.OwnImages);
        }

        DataFolder.WritePrivate(catalogue, ImageCatalogue.Write(existing, studio, archives, Dotnet()));
        var server = await Task.Run(
            () =>
                KubeServer.StartAsync(
                    new KubeServerOptions
                    {
                        DataDirectory = data.In("kube"),
                        Port = options.KubePort,
                        Runner = new PodRunnerOptions { ImageCatalog = catalogue, BackoffBase = TimeSpan.FromSeconds(1) },
                    },
                    loggers,
                    clock,
                    cancellationToken
                ),
            cancellationToken
        );
        await server.WriteKubeconfigAsync(data.Kubeconfig, cancellationToken);
        return server;
    }

    internal static async Task<(DevelopmentProvider? Provider, DevelopmentProviderOptions? Options)> StartProviderAsync(
        LocalOptions options,
        DataFolder data,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        if (options.Provider is not null)
        {
            return (null, null);
        }

        var providerOptions = Configuration.Provider(options, data);
        CheckPort("IDP_PORT", providerOptions.Port);
        var provider = await Task.Run(
            () => DevelopmentProvider.StartAsync(providerOptions, null, clock, cancellationToken),
            cancellationToken
        );
        Configuration.Remember(data, providerOptions.Port);
        return (provider, providerOptions);
    }

    internal static void Keep<T>(Stack<IAsyncDisposable> started, Task<T> task, Func<T, IAsyncDisposable?> part)
    {
        if (task.IsCompletedSuccessfully && part(task.GetAwaiter().GetResult()) is { } disposable)
        {
            started.Push(disposable);
        }
    }

    internal static async ValueTask StopAsync(Stack<IAsyncDisposable> parts)
    {
        while (parts.TryPop(out var part))
        {
            if (part is WebApplication app)
            {
                await app.StopAsync(CancellationToken.None);
            }

            await part.DisposeAsync();
        }
    }

    // The program that runs us runs Studio too; as an apphost of our own, it is on the PATH.
    private static string Dotnet() =>
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    // Asked before anything is started, so that nothing has to be undone for the most common mistake.
    private static void CheckPort(string variable, int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw InUse(variable, port);
        }
        catch (SocketException e)
        {
            throw new LocalConfigurationException([
                $"port {port} cannot be opened ({e.Message}): set {variable} to another port, 1024 or above for a person who is not root.",
            ]);
        }
    }

    private static bool IsAddressInUse(Exception? e) =>
        e is not null && (e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } || IsAddressInUse(e.InnerException));

    private static LocalConfigurationException InUse(string variable, int port) =>
        new([$"port {port} is in use by another program: stop it, or set {variable} to another port."]);

    [LoggerMessage(
        1,
        LogLevel.Warning,
        "{Path} was written anew, because its line \"{Marker}\" was missing; what was in it is in {Path}.before. "
            + "Put your images below that line."
    )]
    private static partial void LogCatalogueReplaced(ILogger logger, string path, string marker);

    internal sealed class Disposal(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
