using System.Diagnostics;
using Kube.Runtime;

namespace Berth.Edge;

/// <summary>
/// Spans: one for each request, which the workspace's own can hang below (W3C Trace Context). Without a listener they cost a null check.
/// </summary>
internal static class EdgeTraces
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Berth.Edge";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Begins the span of a request; null when nobody listens or it is not sampled.</summary>
    /// <param name="context">The request; what it says of traces is taken out of it, and ours takes its place on the way to a
    /// workspace.</param>
    /// <param name="isTrusted">
    /// Whether what it says may be believed. A trace that anybody can continue costs what they like, and mixes theirs with others'.
    /// </param>
    public static Activity? Begin(HttpContext context, bool isTrusted)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var headers = context.Request.Headers;
        ActivityContext parent = default;
        if (isTrusted && headers.TraceParent.Count == 1)
        {
            ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out parent);
        }

        headers.Remove("traceparent");
        headers.Remove("tracestate");
        headers.Remove("baggage");

        // The framework's own, which believes anybody.
        Activity.Current = null;
        return Source.StartActivity("request", ActivityKind.Server, parent);
    }

    /// <summary>Tells a workspace the span that its own belong below.</summary>
    public static void Propagate(HttpRequestMessage request)
    {
        if (Activity.Current is { } span && ReferenceEquals(span.Source, Source))
        {
            request.Headers.TryAddWithoutValidation("traceparent", span.Id);
            if (span.TraceStateString is { Length: > 0 } state)
            {
                request.Headers.TryAddWithoutValidation("tracestate", state);
            }
        }
    }

    /// <summary>Ends it with what became of the request.</summary>
    public static void End(Activity? span, RequestRecord record)
    {
        if (span is null)
        {
            return;
        }

        span.DisplayName = $"{record.Method} {record.Route}";
        span.SetTag("http.request.method", record.Method).SetTag("http.response.status_code", record.Status)
            .SetTag("berth.route", record.Route).SetTag("berth.request_id", record.Id)
            .SetTag("berth.decision", record.Notes?.Rule ?? record.Access?.Role ?? "served");
        if (record.Access is { Workspace: var workspace })
        {
            span.SetTag("berth.workspace", workspace.Name).SetTag("server.address", workspace.Target?.Host).SetTag("server.port",
                workspace.Target?.Port);
        }

        if (record.Status >= 500)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }

        span.Dispose();
    }

    /// <summary>Sends spans by OTLP where <see cref="TraceExport"/> finds that asked for; null otherwise.</summary>
    public static IDisposable? Export(IConfiguration configuration) =>
        TraceExport.Start("berth-edge", SourceName, name => configuration[name]);
}
