using System.Net;
using Berth.Studio.Files;
using Berth.Studio.Identity;
using Berth.Studio.Terminals;

namespace Berth.Studio.Hosting;

/// <summary>Puts the program together.</summary>
internal static partial class StudioHost
{
    /// <summary>What a shutdown may take; below the 10 s and 30 s that container runtimes give.</summary>
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(8);

    /// <summary>The program, ready to be started.</summary>
    /// <param name="options">What it was told.</param>
    /// <param name="environment">The environment that shells get, apart from what <see cref="ShellFinder"/> takes out.</param>
    /// <param name="time">The clock.</param>
    public static WebApplication Build(StudioOptions options, IReadOnlyDictionary<string, string> environment, TimeProvider time)
    {
        // The content root must not be the working folder: an appsettings.json in somebody's workspace is not our configuration.
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions
            {
                ContentRootPath = AppContext.BaseDirectory,
                EnvironmentName = options.Development ? Environments.Development : Environments.Production,
            }
        );
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        if (options.Development)
        {
            builder.Logging.AddSimpleConsole(o => o.SingleLine = true);
        }
        else
        {
            builder.Logging.AddJsonConsole(o => o.UseUtcTimestamp = true);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            if (options.Address.Equals(IPAddress.IPv6Any))
            {
                // Also where the machine has no IPv6.
                kestrel.ListenAnyIP(options.Port);
            }
            else
            {
                kestrel.Listen(options.Address, options.Port);
            }
        });
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = ShutdownLimit);
        AddServices(builder.Services, options, environment, time);
        var app = builder.Build();
        Use(app, options);
        return app;
    }

    private static void AddServices(
        IServiceCollection services,
        StudioOptions options,
        IReadOnlyDictionary<string, string> environment,
        TimeProvider time
    )
    {
        services.AddSingleton(options);
        services.AddSingleton(time);
        services.AddSingleton(new ShellFinder(options, environment));
        services.AddSingleton<StaticAssets>();
        services.AddSingleton<InFlight>();
        services.AddSingleton(_ => new WorkspaceFolder(options.Root));
        services.AddSingleton<WorkspaceFiles>();
        services.AddSingleton<FileWriter>();
        services.AddSingleton<FolderArchive>();
        services.AddSingleton<FileEndpoints>();
        services.AddSingleton<ChildReaper>();
        services.AddSingleton<TerminalRegistry>();
        services.AddSingleton<TerminalEndpoint>();
        services.AddHostedService(p => p.GetRequiredService<TerminalRegistry>());
        if (options.Identity is { KeysAddress: { } address })
        {
            services.AddSingleton<IKeySource>(p => new RemoteKeySource(
                address,
                CreateKeyClient(),
                time,
                p.GetRequiredService<ILogger<RemoteKeySource>>()
            ));
        }
        else if (options.Identity is { Keys: { } keys })
        {
            services.AddSingleton<IKeySource>(new FixedKeySource(keys));
        }
    }

    private static HttpClient CreateKeyClient() =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            }
        )
        {
            MaxResponseContentBufferSize = JsonWebKeys.MaxBytes,
        };

    private static void Use(WebApplication app, StudioOptions options)
    {
        var services = app.Services;
        var verifier = options.Identity is { } identity
            ? new IdentityVerifier(
                identity.Issuer,
                identity.Audience,
                services.GetRequiredService<IKeySource>(),
                services.GetRequiredService<TimeProvider>()
            )
            : null;
        app.Use(
            (context, next) =>
            {
                var headers = context.Response.Headers;
                headers.XContentTypeOptions = "nosniff";
                headers["Referrer-Policy"] = "no-referrer";
                headers["Cross-Origin-Resource-Policy"] = "same-origin";
                headers["Cross-Origin-Opener-Policy"] = "same-origin";
                return next(context);
            }
        );
        var loggers = services.GetRequiredService<ILoggerFactory>();
        app.Use(next => new ProblemMiddleware(next, loggers.CreateLogger<ProblemMiddleware>()).InvokeAsync);
        app.Use(next => new IdentityMiddleware(next, verifier, loggers.CreateLogger<IdentityMiddleware>()).InvokeAsync);

        // A connection that a sleeping laptop or a lost network left behind is found within a minute.
        app.UseWebSockets(
            new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(30), KeepAliveTimeout = TimeSpan.FromSeconds(30) }
        );
        app.Use(next => new SameOriginMiddleware(next, options).InvokeAsync);
        Map(app, options);
        if (verifier is null)
        {
            LogAnonymous(loggers.CreateLogger(typeof(StudioHost)));
        }
    }

    private static void Map(WebApplication app, StudioOptions options)
    {
        var files = app.Services.GetRequiredService<FileEndpoints>();
        var terminal = app.Services.GetRequiredService<TerminalEndpoint>();
        var assets = app.Services.GetRequiredService<StaticAssets>();
        string[] get = [HttpMethods.Get, HttpMethods.Head];
        app.MapMethods(HealthEndpoint.Path, get, c => HealthEndpoint.HandleAsync(c, options));
        app.MapMethods("/", get, StaticAssets.WritePageAsync);
        app.MapMethods("/assets/{**name}", get, assets.WriteAssetAsync);
        app.MapMethods("/api/whoami", get, c => WhoAmI.HandleAsync(c, options));
        app.MapMethods("/api/files", get, files.ListAsync);
        app.MapMethods("/api/files/stat", get, files.StatAsync);
        app.MapMethods("/api/files/content", get, files.ReadAsync);
        app.MapMethods("/api/files/archive", get, files.ArchiveAsync);
        app.MapPut("/api/files/content", (RequestDelegate)files.WriteAsync);
        app.MapDelete("/api/files", (RequestDelegate)files.DeleteAsync);
        app.MapPost("/api/files/folder", (RequestDelegate)files.CreateFolderAsync);
        app.MapPost("/api/files/rename", (RequestDelegate)files.RenameAsync);
        app.Map("/api/terminal", (RequestDelegate)terminal.HandleAsync);
    }

    [LoggerMessage(1001, LogLevel.Warning, "STUDIO_ALLOW_ANONYMOUS is set: everybody on this machine is let in as the owner")]
    private static partial void LogAnonymous(ILogger logger);
}
