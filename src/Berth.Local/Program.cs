using System.Diagnostics;
using System.Runtime.InteropServices;
using Berth.Local.Hosting;

namespace Berth.Local;

/// <summary>Berth on one machine.</summary>
public static class Program
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
            logging
                .SetMinimumLevel(options.LogLevel)
                .AddSimpleConsole(console =>
                {
                    console.SingleLine = true;
                    console.TimestampFormat = "HH:mm:ss ";
                })
        );
        await using var berth = await LocalBerth.StartAsync(options, data, loggers, clock, cancellationToken);

        await Console.Out.WriteLineAsync(Words(options, data, berth.Accounts));
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

    private static string Words(LocalOptions options, DataFolder data, string accounts) =>
        $"""
            Sign in         {(
                options.Provider is { } provider
                    ? $"with {provider.Issuer}"
                    : $"as user1, user2 or admin; without a click: {options.PublicOrigin}/login?login_hint=user1"
            )}
            kubectl         --kubeconfig {Path.GetRelativePath(Environment.CurrentDirectory, data.Kubeconfig)} get uws -w
            Kept under      {data.Root}
            Accounts in     {accounts}
            """;

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
