using Kube.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Berth.Operator;

/// <summary>Probes and metrics.</summary>
internal static class ManagementEndpoints
{
    internal static void Map(IEndpointRouteBuilder app, OperatorHost host, PrometheusCollector metrics)
    {
        // As RequestDelegates, which need no generated binding code.
        app.MapGet("/livez", (RequestDelegate)(context =>
            AnswerAsync(context, host.IsLive, "ok", "the lease could not be renewed in time")));
        app.MapGet("/readyz", (RequestDelegate)(context => AnswerAsync(
            context, host.NotReady is null, host.IsLeading ? "ok, leading" : "ok, standing by", host.NotReady ?? "it just became ready")));
        app.MapGet("/metrics", (RequestDelegate)(context =>
        {
            context.Response.ContentType = PrometheusCollector.ContentType;
            return context.Response.WriteAsync(metrics.Collect(), context.RequestAborted);
        }));
    }

    private static Task AnswerAsync(HttpContext context, bool good, string yes, string no)
    {
        context.Response.StatusCode = good ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync((good ? yes : no) + "\n", context.RequestAborted);
    }
}
