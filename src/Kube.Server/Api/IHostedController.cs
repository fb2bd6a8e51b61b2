using Microsoft.Extensions.Logging;

namespace Kube.Server;

/// <summary>What a controller in the server's process gets.</summary>
/// <param name="Api">The API.</param>
/// <param name="LoggerFactory">Loggers.</param>
/// <param name="TimeProvider">The clock.</param>
/// <param name="DataDirectory">Absolute path of the server's data folder.</param>
public sealed record HostedControllerContext(IClusterApi Api, ILoggerFactory LoggerFactory, TimeProvider TimeProvider,
    string DataDirectory)
{
    /// <summary>Makes tokens for pods; null: none are made.</summary>
    internal Pki.ServiceAccountTokens? Tokens { get; init; }
}

/// <summary>Something that runs as long as the server does, started after recovery and before the first request is served.</summary>
public interface IHostedController
{
    /// <summary>Name for logs.</summary>
    string Name { get; }

    /// <summary>Starts; returns when set up, work goes on in the background.</summary>
    /// <param name="context">API, clock, logs.</param>
    /// <param name="cancellationToken">Start-up is called off.</param>
    Task StartAsync(HostedControllerContext context, CancellationToken cancellationToken);

    /// <summary>Ends the work; called once, in reverse order of start, while the API still answers.</summary>
    /// <param name="cancellationToken">Hurry.</param>
    Task StopAsync(CancellationToken cancellationToken);
}
