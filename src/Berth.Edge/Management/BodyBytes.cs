using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>
/// Bytes of bodies by route. A body whose length is stated counts with that when its request has ended; one without is counted while it
/// passes, so that a stream of hours is no spike at its end.
/// </summary>
internal sealed class BodyBytes
{
    private readonly FrozenDictionary<string, Count> _routes = RequestMetrics.Routes.ToFrozenDictionary(r => r, _ => new Count());

    /// <summary>The counts of a route, one of <see cref="RequestMetrics.Routes"/>.</summary>
    public Count Of(string route) => _routes[route];

    /// <summary>Bytes that came, of routes that had any.</summary>
    public IEnumerable<Measurement<long>> Requests() => Measure(static c => c.Came);

    /// <summary>Bytes that went, of routes that had any.</summary>
    public IEnumerable<Measurement<long>> Answers() => Measure(static c => c.Went);

    /// <summary>Has the request's body counted while it is read, where its length is not stated. Costs the others nothing.</summary>
    public void CountRequest(HttpContext context)
    {
        // Of an extended CONNECT the body is one side of a WebSocket, which is counted where it is switched.
        if (context.State().CanHaveBody && context.Request.ContentLength is null
            && !HttpMethods.IsConnect(context.Request.Method))
        {
            context.Request.Body = new CountedRequestBody(context.Request.Body, context, this);
        }
    }

    /// <summary>
    /// Has the answer's body counted while it is written to <see cref="HttpResponse.Body"/>, where the headers that are there now state no
    /// length. Costs the others nothing.
    /// </summary>
    public void CountAnswer(HttpContext context)
    {
        var response = context.Response;
        if (response.ContentLength is null && response.StatusCode is not (101 or 204 or 304) && !HttpMethods.IsHead(context.Request.Method)
            && !HttpMethods.IsConnect(context.Request.Method)
            && context.Features.Get<IHttpResponseBodyFeature>() is { } body and not CountedAnswer)
        {
            context.Features.Set<IHttpResponseBodyFeature>(new CountedAnswer(body, response, Of(RequestMetrics.RouteOf(context.State()))));
        }
    }

    /// <summary>Counts what was stated.</summary>
    public void Ended(HttpContext context, string route)
    {
        if (context.Request.ContentLength is > 0 and var came)
        {
            Of(route).Receive(came);
        }

        // These state the length of what they leave out.
        if (context.Response.ContentLength is > 0 and var went && context.Response.StatusCode != StatusCodes.Status304NotModified
            && !HttpMethods.IsHead(context.Request.Method))
        {
            Of(route).Send(went);
        }
    }

    private IEnumerable<Measurement<long>> Measure(Func<Count, long> which) => _routes.Where(r => which(r.Value) > 0)
        .Select(r => new Measurement<long>(which(r.Value), new KeyValuePair<string, object?>("route", r.Key)));

    /// <summary>What came and went on one route.</summary>
    internal sealed class Count
    {
        private long _came;
        private long _went;

        /// <summary>Bytes of requests.</summary>
        public long Came => Interlocked.Read(ref _came);

        /// <summary>Bytes of answers.</summary>
        public long Went => Interlocked.Read(ref _went);

        /// <summary>Bytes came.</summary>
        public void Receive(long bytes) => Interlocked.Add(ref _came, bytes);

        /// <summary>Bytes went.</summary>
        public void Send(long bytes) => Interlocked.Add(ref _went, bytes);
    }
}
