using System.Diagnostics;
using System.Runtime.InteropServices;
using Berth.Local.Hosting;

namespace Berth.Local;

/// <summary>Berth on one machine.</summary>
public static partial class Program
{
    private const int FailureExitCode = 1;
    private const int UsageExitCode = 2;

    /// <summary>Runs until it is told to stop: Ctrl-C, SIGTERM, or the end of the terminal.</summary>
    /// <returns>0 after an orderly end; 1 when a part failed; 2 when it cannot start as it is configured.</returns>
    public static async Task<int> Main()
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = Register(PosixSignal.SIGINT, stop);
        using var terminate = Register(PosixSignal.SIGTERM, stop);
        using var hangUp = Register(PosixSignal.SIGHUP, stop);
        try
        {
            return await RunAsync(LocalOptions.Parse(Environment.GetEnvironmentVariable), TimeProvider.System, stop.Token);
        }
        catch (LocalConfigurationException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return UsageExitCode;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static async Task<int> RunAsync(LocalOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var data = DataFolder.Open(options.DataDirectory);
        using var loggers = LoggerFactory.Create(logging =>
        {
            logging.Services.Configure<LoggerFilterOptions>(BerthEdgeExtensions.QuietForwarder);
            logging
                .SetMinimumLevel(options.LogLevel)
                .AddSimpleConsole(console =>
                {
                    console.SingleLine = true;
                    console.TimestampFormat = "HH:mm:ss ";
                });
        });
        if (options.Export is not null)
        {
            return await RunApiAsync(options, data, loggers, clock, cancellationToken);
        }

        await using var berth = await StartAsync(options, data, loggers, clock, LocalBerth.StartAsync, cancellationToken);

        await Console.Out.WriteLineAsync(Words(options, data, berth));
        await Console.Out.WriteLineAsync(
            $"Berth is ready: {options.PublicOrigin}  ({SinceProcessStart(clock).TotalSeconds:0.00} s after its start; Ctrl-C stops it)"
        );

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, berth.Stopping);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = either.Token.Register(ended.SetResult);
        await ended.Task;
        await Console.Out.WriteLineAsync(
            cancellationToken.IsCancellationRequested
                ? "Stopping."
                : "A part of Berth failed, so all of it stops; BERTH_LOG=Information says more."
        );
        return cancellationToken.IsCancellationRequested ? 0 : FailureExitCode;
    }

    private static async Task<int> RunApiAsync(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        await using var api = await StartAsync(options, data, loggers, clock, LocalApi.StartAsync, cancellationToken);
        await Console.Out.WriteLineAsync($"The embedded API is ready; what edge and operator have to know is in {options.Export}.");
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(ended.SetResult);
        await ended.Task;
        await Console.Out.WriteLineAsync("Stopping.");
        return 0;
    }

    // Whatever a folder or a machine comes up with is one message; the stack is for those who ask for it.
    private static async Task<T> StartAsync<T>(
        LocalOptions options,
        DataFolder data,
        ILoggerFactory loggers,
        TimeProvider clock,
        Func<LocalOptions, DataFolder, ILoggerFactory, TimeProvider, CancellationToken, Task<T>> start,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await start(options, data, loggers, clock, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotStarted(loggers.CreateLogger(typeof(Program)), e);
            throw new LocalConfigurationException([
                $"{e.Message} All that is in {data.Root} must belong to the person who runs Berth; or set BERTH_DATA to another folder.",
            ]);
        }
        catch (Exception e) when (e is not (LocalConfigurationException or OperationCanceledException))
        {
            LogNotStarted(loggers.CreateLogger(typeof(Program)), e);
            throw new LocalConfigurationException([$"{e.Message} (BERTH_LOG=Debug shows where.)"]);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Not started")]
    private static partial void LogNotStarted(ILogger logger, Exception exception);

    private static string Words(LocalOptions options, DataFolder data, LocalBerth berth) =>
        $"""
            Sign in         {(
                options.Provider is { } provider
                    ? $"with {provider.Issuer}"
                    : $"as user1, user2 or admin; without a click: {options.PublicOrigin}/login?login_hint=user1"
            )}
            kubectl         --kubeconfig {Quoted(Path.GetRelativePath(Environment.CurrentDirectory, data.Kubeconfig))} get uws -w
            Kept under      {data.Root}
            Accounts in     {berth.Accounts}
            Connections     {(
                berth.HasConnections
                    ? options.PublicOrigin + "/connections"
                    : "none: the token vault needs PostgreSQL and the development provider"
            )}
            """;

    // So that the line can be copied into a shell.
    private static string Quoted(string path) =>
        path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_')
            ? path : $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static TimeSpan SinceProcessStart(TimeProvider clock)
    {
        using var self = Process.GetCurrentProcess();
        return clock.GetUtcNow() - self.StartTime.ToUniversalTime();
    }

    private static PosixSignalRegistration Register(PosixSignal signal, CancellationTokenSource stop) =>
        PosixSignalRegistration.Create(
            signal,
            context =>
            {
                // The runtime would end the process at once; we end it in order.
                context.Cancel = true;
                stop.Cancel();
            }
        );
}
