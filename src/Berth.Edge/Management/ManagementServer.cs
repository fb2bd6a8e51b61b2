using System.Net;
using Kube.Runtime;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Berth.Edge;

/// <summary>
/// /livez, /readyz and /metrics on a listener of their own: no request of the public listener can reach them, whatever its path or host,
/// and probes work while the public one is full.
/// </summary>
internal sealed partial class ManagementServer(
    ManagementOptions options, WorkspaceWatch watch, IEdgeReadiness readiness, AccountsService accounts, PrometheusCollector metrics,
    IHostApplicationLifetime lifetime, ILoggerFactory loggers, VaultService? vault = null) : IHostedService, IEdgeStatus
{
    private WebApplication? _app;

    /// <summary>Where it listens, such as <c>http://127.0.0.1:40001</c>; null before the start.</summary>
    public string? Address { get; private set; }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Listen(IPAddress.Parse(options.Address), options.Port);
        });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        _app = builder.Build();
        _app.Run(HandleAsync);
        await _app.StartAsync(cancellationToken).ConfigureAwait(false);
        Address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        LogListening(loggers.CreateLogger<ManagementServer>(), Address);
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_app is not null)
        {
            await _app.StopAsync(cancellationToken).ConfigureAwait(false);
            await _app.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What keeps this replica from serving; empty when it is ready.</summary>
    public IReadOnlyList<string> NotReadyBecause()
    {
        var reasons = new List<string>();
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            reasons.Add("shutting down");
        }

        if (!watch.IsSynced)
        {
            reasons.Add("the picture of the workspaces is not complete yet");
        }

        if (!readiness.IsReady)
        {
            reasons.Add(readiness.NotReadyBecause ?? "the keys of the identity providers are not loaded yet");
        }

        if (!accounts.IsStarted)
        {
            reasons.Add("the account store has not been reached yet");
        }

        // Once only: a vault whose database goes away later still gives the tokens it has in memory.
        if (vault is { IsStarted: false })
        {
            reasons.Add("the token vault's keys have not been checked yet");
        }

        return reasons;
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.StatusCode = 405;
            return;
        }

        var text = "ok\n";
        context.Response.ContentType = "text/plain; charset=utf-8";
        switch (context.Request.Path.Value)
        {
            case "/livez":
                break;
            case "/readyz":
                var reasons = NotReadyBecause();
                if (reasons.Count > 0)
                {
                    context.Response.StatusCode = 503;
                    text = string.Join('\n', reasons) + "\n";
                    break;
                }

                text += (vault?.Standing ?? VaultService.NotConfigured) + "\n";

                break;
            case "/metrics":
                context.Response.ContentType = PrometheusCollector.ContentType;
                text = metrics.Collect();
                break;
            default:
                context.Response.StatusCode = 404;
                text = "Here are /livez, /readyz and /metrics.\n";
                break;
        }

        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
        }
    }

    [LoggerMessage(5401, LogLevel.Information, "Probes and metrics at {Address}.")]
    private static partial void LogListening(ILogger logger, string address);
}
