using Kube.Client;
using Kube.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>The operator as part of any host.</summary>
public static class BerthOperatorExtensions
{
    /// <summary>
    /// Adds the operator as a hosted service: it starts and stops with the host, and stops the host with exit code 1 when it cannot go on.
    /// </summary>
    /// <param name="services">Where it is added.</param>
    /// <param name="options">Its options, checked at once.</param>
    /// <param name="client">The cluster it works on; the caller keeps and disposes it.</param>
    /// <param name="ownNamespace">Namespace it is in itself; null: <c>default</c>.</param>
    /// <exception cref="OperatorConfigurationException">The options cannot be used; the message names all problems.</exception>
    public static IServiceCollection AddBerthOperator(
        this IServiceCollection services, OperatorOptions options, IKubeClient client, string? ownNamespace = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(client);
        var settings = OptionsChecker.Check(options, ownNamespace ?? "default");
        services.AddSingleton(provider => new OperatorHost(
            options,
            settings,
            client,
            ownNamespace ?? "default",
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>()));
        return services.AddHostedService<OperatorService>();
    }
}

/// <summary>Runs the operator within a host.</summary>
internal sealed class OperatorService(OperatorHost host, IHostApplicationLifetime lifetime,
    ILogger<OperatorService> logger) : BackgroundService
{
    /// <summary>Exit code of a program whose operator lost its leadership or failed.</summary>
    internal const int FailureExitCode = 1;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await host.RunAsync(stoppingToken);
        }
        catch (LeadershipLostException e)
        {
            OperatorLog.LeadershipLost(logger, e.Message);
            End();
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            OperatorLog.Failed(logger, e);
            End();
        }
    }

    // The caches and the queue of a former leader are worth nothing: whoever runs the program starts it anew.
    private void End()
    {
        Environment.ExitCode = FailureExitCode;
        lifetime.StopApplication();
    }
}
