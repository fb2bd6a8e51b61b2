using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Kube.Client;
using Kube.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>The operator as a program.</summary>
public static class Program
{
    private const int UsageExitCode = 2;

    /// <summary>Runs the operator, or writes the custom resource definitions.</summary>
    /// <returns>0 after a graceful end; 1 when leadership is lost or it fails; 2 when arguments or configuration cannot be used.</returns>
    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["crds", "--output", var folder]:
                return CrdFiles.Write(folder, celRules: true, Console.Out);
            case ["crds", "--output", var folder, "--without-cel"]:
                return CrdFiles.Write(folder, celRules: false, Console.Out);
            case ["crds", "--apply"]:
                return await ApplyCrdsAsync(celRules: true);
            case ["crds", "--apply", "--without-cel"]:
                return await ApplyCrdsAsync(celRules: false);
            case ["archive", .. var rest] when OperatingSystem.IsLinux():
                return await ArchiveAsync(rest);
            case ["preflight", .. var rest]:
                return await PreflightAsync(rest);
            case ["--help" or "-h" or "help"]:
                await Console.Out.WriteLineAsync(Usage.Text);
                return 0;
            case [] or ["run", ..] or ["--config", _]:
                break;
            default:
                await Console.Error.WriteLineAsync($"Unknown arguments: {string.Join(' ', args)}{Environment.NewLine}{Usage.Text}");
                return UsageExitCode;
        }

        try
        {
            return await RunAsync(ConfigFile(args));
        }
        catch (Exception e) when (e
            is OperatorConfigurationException or KubeConfigException or InvalidDataException or FileNotFoundException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return UsageExitCode;
        }
        catch (IOException e) when (e.InnerException is SocketException or { InnerException: SocketException })
        {
            await Console.Error.WriteLineAsync($"{e.Message} Set BERTH__OPERATOR__MANAGEMENT__PORT to a free port, or 0.");
            return UsageExitCode;
        }
    }

    // SIGTERM comes when a Job is deleted: what is half done is left as it is, and the next run begins again or goes on.
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static async Task<int> ArchiveAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        return await Archives.ArchiveCommand.RunAsync(
            args, Environment.GetEnvironmentVariable, TimeProvider.System, Console.Out, stop.Token);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
    }

    private static async Task<int> PreflightAsync(string[] args)
    {
        try
        {
            var config = KubeConfig.Load();
            using var network = new Preflight.PreflightNetwork(config);
            return await Preflight.PreflightCommand.RunAsync(
                args,
                () => (KubeClient.Create(config, new KubeClientOptions { UserAgent = "berth-preflight/0.1" }), config.Server),
                network,
                Console.Out,
                Console.Error,
                TimeProvider.System,
                CancellationToken.None);
        }
        catch (KubeConfigException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return UsageExitCode;
        }
    }

    private static async Task<int> ApplyCrdsAsync(bool celRules)
    {
        try
        {
            using var client = KubeClient.Create(KubeConfig.Load(), new KubeClientOptions { UserAgent = "berth-operator/0.1" });
            return await CrdInstaller.ApplyAsync(
                client, celRules, TimeProvider.System, Console.Out, Console.Error, CancellationToken.None);
        }
        catch (KubeConfigException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return UsageExitCode;
        }
    }

    private static string? ConfigFile(string[] args) => args is [.., "--config", var file] ? file : null;

    private static async Task<int> RunAsync(string? configFile)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });

        // Probes come every few seconds. At the front, so that file and environment can ask for more.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData =
            [
                new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),

                // It logs a start that failed with its whole stack, and throws it as well: one line here says what to do.
                new("Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host", "None"),
            ],
        });
        if (configFile is not null)
        {
            builder.Configuration.AddJsonFile(Path.GetFullPath(configFile), optional: false);

            // Added again, so that the environment still wins over the file.
            builder.Configuration.AddEnvironmentVariables();
        }

        ConfigureLogging(builder.Logging, builder.Environment);
        var (options, problems) = OptionsReader.Read(builder.Configuration);

        // Before the cluster is asked for: a wrong option should not hide behind a missing kubeconfig.
        _ = OptionsChecker.Check(options, "default", problems);
        var config = KubeConfig.Load();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Parse(options.Management.Address), options.Management.Port));
        builder.Services.AddSingleton(TimeProvider.System);
        using var traces = OperatorTraces.Export(builder.Configuration);
        using var metrics = new PrometheusCollector(OperatorHost.Meters);
        using var loggers = LoggerFactory.Create(l =>
            ConfigureLogging(l.AddConfiguration(builder.Configuration.GetSection("Logging")), builder.Environment));
        using var client = KubeClient.Create(config, new KubeClientOptions { LoggerFactory = loggers, UserAgent = "berth-operator/0.1" });
        builder.Services.AddBerthOperator(options, client, config.Namespace);

        await using var app = builder.Build();
        ManagementEndpoints.Map(app, app.Services.GetRequiredService<OperatorHost>(), metrics);
        await app.StartAsync();
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        OperatorLog.Management(app.Services.GetRequiredService<ILogger<OperatorHost>>(), string.Join(", ", addresses));
        await app.WaitForShutdownAsync();
        return Environment.ExitCode;
    }

    // JSON for machines; DOTNET_ENVIRONMENT=Development gives lines for people.
    private static void ConfigureLogging(ILoggingBuilder logging, IHostEnvironment environment)
    {
        logging.ClearProviders();
        if (environment.IsDevelopment())
        {
            logging.AddSimpleConsole(o => o.SingleLine = true);
        }
        else
        {
            logging.AddJsonConsole(o =>
            {
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }
    }
}
