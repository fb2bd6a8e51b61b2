using System.Net.Sockets;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>
/// One short line for what a workspace's process, or an API, did wrong while something was forwarded to it. What the client ended, or the
/// edge itself, is no failure and has none.
/// </summary>
/// <remarks>
/// The first of a sort is written at once, those that follow within a minute as one line with their number; at most
/// <see cref="MaximumKinds"/> sorts a minute, what is beyond is one sort together. YARP's own line, a warning with a stack for each socket
/// that is cut, is filtered away by <see cref="ForwarderCategory"/>.
/// </remarks>
internal sealed partial class ForwardFailures : IDisposable
{
    /// <summary>Where YARP logs what it forwards: nothing in it is worse than a warning.</summary>
    public const string ForwarderCategory = "Yarp.ReverseProxy.Forwarder.HttpForwarder";

    /// <summary>Most sorts in a minute: a node that is lost takes many workspaces along.</summary>
    public const int MaximumKinds = 50;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private Dictionary<(string Host, string Kind), int> _seen = [];

    public ForwardFailures(ILogger<ForwardFailures> log, TimeProvider clock)
    {
        _log = log;
        _timer = clock.CreateTimer(_ => Flush(), null, Window, Window);
    }

    /// <summary>Notes how forwarding ended.</summary>
    public void Note(HttpContext context, RequestRecord record)
    {
        var call = record.Route == "proxy" ? context.Features.Get<UpstreamCall>() : null;
        if ((record.Forwarding is null or ForwarderError.None && call is null)
            || context.Features.Get<IForwarderErrorFeature>() is not { } failure)
        {
            return;
        }

        var limit = call is null ? context.State().AnswerLimit : call.Limit;
        var host = record.Access?.Workspace.Host ?? call?.Settings.Origin;
        if (host is not null && KindOf(failure.Error, failure.Exception, limit is { HasRunOut: true }) is { } kind)
        {
            Note(host, kind, record.Id);
        }
    }

    /// <summary>Ends the minute: writes what was only counted.</summary>
    public void Flush()
    {
        Dictionary<(string Host, string Kind), int> seen;
        lock (_gate)
        {
            (seen, _seen) = (_seen, []);
        }

        foreach (var ((host, kind), more) in seen)
        {
            if (more > 0)
            {
                LogMore(_log, host, kind, more);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }

    /// <summary>
    /// The failure in one word and its causes; null for what the client or the edge ended. Words of the other side are not in it.
    /// </summary>
    internal static string? KindOf(ForwarderError error, Exception? exception, bool hasRunOut)
    {
        if (hasRunOut)
        {
            return nameof(ForwarderError.RequestTimedOut);
        }

        if (error is not (ForwarderError.Request or ForwarderError.RequestTimedOut or ForwarderError.RequestCreation
            or ForwarderError.RequestBodyDestination or ForwarderError.ResponseBodyDestination or ForwarderError.ResponseHeaders
            or ForwarderError.UpgradeRequestDestination or ForwarderError.UpgradeResponseDestination))
        {
            return null;
        }

        var kind = error.ToString();
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            kind += cause switch
            {
                HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http => $"/{http.HttpRequestError}",
                HttpIOException http => $"/{http.HttpRequestError}",
                SocketException socket => $"/{socket.SocketErrorCode}",
                _ => "",
            };
        }

        return kind;
    }

    /// <summary>Notes a failure.</summary>
    internal void Note(string host, string kind, string requestId)
    {
        lock (_gate)
        {
            var key = (host, kind);
            if (!_seen.ContainsKey(key) && _seen.Count >= MaximumKinds)
            {
                key = ("others", "of any kind");
            }

            if (_seen.TryGetValue(key, out var more))
            {
                _seen[key] = more + 1;
                return;
            }

            _seen[key] = 0;
        }

        LogFailure(_log, host, kind, requestId);
    }

    [LoggerMessage(5402, LogLevel.Warning, "Forwarding to {Host} failed: {Kind} (request {RequestId}).")]
    private static partial void LogFailure(ILogger log, string host, string kind, string requestId);

    [LoggerMessage(5403, LogLevel.Warning, "Forwarding to {Host} failed: {Kind} ({Count} more within a minute).")]
    private static partial void LogMore(ILogger log, string host, string kind, int count);
}
