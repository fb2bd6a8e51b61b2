using System.Net.Sockets;
using Berth.Accounts;
using Kube.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge;

/// <summary>The edge as a program.</summary>
public static class Program
{
    private const int UsageExitCode = 2;

    /// <summary>Runs the edge until it is told to end.</summary>
    /// <returns>0 after a graceful end; 1 when it failed; 2 when configuration or the environment cannot be used.</returns>
    public static async Task<int> Main(string[] args)
    {
        try
        {
            return await RunAsync(args).ConfigureAwait(false);
        }
        catch (Exception error) when (
            error is EdgeConfigurationException or KubeConfigException or InvalidDataException or FileNotFoundException)
        {
            await Console.Error.WriteLineAsync(error.Message).ConfigureAwait(false);
            return UsageExitCode;
        }
        catch (IOException error) when (error.InnerException is SocketException or { InnerException: SocketException })
        {
            await Console.Error.WriteLineAsync(
                $"{error.Message} Choose other ports with Berth__Edge__Listener__Port and Berth__Edge__Management__Port.")
                    .ConfigureAwait(false);
            return UsageExitCode;
        }
    }

    private static async Task<int> RunAsync(string[] args)
    {
        if (args is ["migrate", .. var rest])
        {
            var password = Environment.GetEnvironmentVariable(MigrateCommand.LoginPassword);
            return await MigrateCommand.RunAsync(rest, password, Console.Out, Console.Error, CancellationToken.None).ConfigureAwait(false);
        }

        if (args is ["selfcheck", .. var asked])
        {
            return await SelfCheckCommand.RunAsync(asked, Console.Out, Console.Error, TimeProvider.System, CancellationToken.None)
                .ConfigureAwait(false);
        }

        if (args is ["secrets", .. var wanted])
        {
            return await SecretsCommand.RunAsync(wanted, Cluster, Console.Out, Console.Error, CancellationToken.None).ConfigureAwait(false);
        }

        if (args is ["why", .. var which])
        {
            return await WhyCommand.RunAsync(which, Console.Out, Console.Error, CancellationToken.None).ConfigureAwait(false);
        }

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        if (args is ["--config", var file])
        {
            builder.Configuration.AddJsonFile(Path.GetFullPath(file), optional: false);

            // Added again, so that the environment still wins over the file.
            builder.Configuration.AddEnvironmentVariables();
        }
        else if (args.Length > 0)
        {
            await Console.Error.WriteLineAsync("Usage: Berth.Edge [--config FILE], or Berth.Edge migrate|secrets|selfcheck|why. "
                + "docs/edge.md lists the settings.")
                .ConfigureAwait(false);
            return UsageExitCode;
        }

        builder.Logging.ClearProviders();
        if (builder.Environment.IsDevelopment())
        {
            builder.Logging.AddSimpleConsole(o => o.SingleLine = true);
        }
        else
        {
            builder.Logging.AddJsonConsole(o => o.UseUtcTimestamp = true);
        }

        // A request that reaches nobody is the edge's own log; the framework's two lines for each request would drown it.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning)
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning).AddFilter("Yarp", LogLevel.Warning);

        // A start that fails ends in one message of Main, not in the host's stack traces before it.
        var starting = true;
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => level >= LogLevel.Warning && !starting);

        var options = BerthEdgeExtensions.ReadAndCheck(builder.Configuration);

        // Checked before anything is asked for: a wrong option should not hide behind a missing kubeconfig.
        builder.Services.AddBerthEdge(options);
        var config = KubeConfig.Load();
        builder.Services.AddSingleton<IKubeClient>(s => KubeClient.Create(
            config, new KubeClientOptions { LoggerFactory = s.GetRequiredService<ILoggerFactory>(), UserAgent = "berth-edge/0.1" }));
        if (options.Database.ConnectionString is { Length: > 0 } database)
        {
            builder.Services.AddSingleton<IAccountStore>(s => NewStore(database, options.Database.Migrate, s));
        }

        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = options.Drain.Total);
        builder.WebHost.ConfigureKestrel(k =>
        {
            BerthEdgeExtensions.ConfigureBerthEdge(k);
            PublicListener.Listen(k, options.Listener, TimeProvider.System);
        });
        using var traces = EdgeTraces.Export(builder.Configuration);
        await using var app = builder.Build();
        app.UseBerthEdge();
        await app.StartAsync().ConfigureAwait(false);
        starting = false;
        try
        {
            await app.WaitForShutdownAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (
            error is OperationCanceledException or AggregateException { InnerException: OperationCanceledException })
        {
            // What did not end in its time ended with the server; that is no failure of the program.
            await Console.Error.WriteLineAsync("Some requests had not ended when the time of Berth:Edge:Drain was over, and were cut.")
                .ConfigureAwait(false);
        }

        return Environment.ExitCode;
    }

    private static (IKubeClient Client, string Namespace) Cluster()
    {
        var config = KubeConfig.Load();
        return (KubeClient.Create(config, new KubeClientOptions { UserAgent = "berth-edge/0.1" }), config.Namespace);
    }

    private static PostgresAccountStore NewStore(string connectionString, bool migrate, IServiceProvider services)
    {
        try
        {
            return new PostgresAccountStore(connectionString, services.GetRequiredService<TimeProvider>(),
                services.GetRequiredService<ILoggerFactory>(), migrate);
        }
        catch (ArgumentException error)
        {
            // The message names the keyword, never a value: the password stays out of it.
            throw new EdgeConfigurationException($"Berth:Edge:Database:ConnectionString cannot be read: {error.Message}", error);
        }
    }
}
