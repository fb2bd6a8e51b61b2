using System.Net;
using Berth.Accounts;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>Makes a call that has been let through.</summary>
/// <remarks>
/// <code>
/// token from the vault -> YARP -> answered: done
///        ^                |-- 401, first try, body at hand: token renewed, once more
///        |                |-- 401, first try, body gone: token renewed, 503 "repeat"
///        '----------------'-- 401 again, or nothing newer to be had: 502
///                         '-- not connected, too slow, redirect elsewhere: 502 / 504
/// </code>
/// </remarks>
internal sealed class UpstreamForwarder(
    IHttpForwarder forwarder, UpstreamClients clients, UpstreamOpenCalls open, UpstreamMetrics metrics, EdgeSettings edge,
    BodyBytes bytes, TimeProvider clock, ITokenVault? vault = null)
{
    private readonly UpstreamTransformer _transformer = new(bytes);

    /// <summary>Makes the call.</summary>
    /// <returns>Null when there is an answer (or nobody to answer any more); else why there is none.</returns>
    public async Task<ConnectionError?> CallAsync(HttpContext context, UpstreamCall call)
    {
        if (vault is null)
        {
            return UpstreamErrors.VaultUnavailable;
        }

        using var entry = open.Add(call.Caller, call.Settings.MaximumDuration);
        var (body, error) = await ReplayableBody.ReadAsync(context, call.Settings);
        if (error is not null)
        {
            return error;
        }

        context.Features.Set(call);
        var request = default(AccessTokenRequest);
        for (var isFirst = true; ; isFirst = false)
        {
            var before = call.Token?.Version;
            error = await TakeTokenAsync(call, request, context.RequestAborted);
            if (error is not null)
            {
                return error;
            }

            if (!isFirst && call.Token!.Version == before)
            {
                // Nothing newer is to be had, so asking again would be asking the same.
                return Rejected(call);
            }

            if (!isFirst && !body.CanRewind)
            {
                return UpstreamErrors.RetryWithNewToken;
            }

            if (!isFirst)
            {
                metrics.Retried(call.Settings.Connection);
                context.Response.Clear();
                context.Features.Set<IForwarderErrorFeature>(null);
            }

            body.Rewind(context);
            var forwarded = await SendAsync(context, call, entry);
            if (forwarded is not null || call.Verdict == UpstreamVerdict.Relayed)
            {
                return forwarded;
            }

            context.Response.Clear();
            if (call.Verdict != UpstreamVerdict.TokenRefused)
            {
                return call.Verdict == UpstreamVerdict.RedirectRefused ? UpstreamErrors.RedirectRefused : UpstreamErrors.UpstreamAnswer;
            }

            if (!isFirst)
            {
                return Rejected(call);
            }

            request = new AccessTokenRequest { ForceRefresh = true, Rejected = call.Token!.Version };
        }
    }

    private static ConnectionError? Outcome(
        HttpContext context, UpstreamOpenCalls.Entry entry, ResponseHeaderLimit limit, ForwarderError error)
    {
        var status = context.Response.StatusCode;
        if (error == ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }

        context.Response.Clear();
        return (status, error) switch
        {
            _ when entry.IsRevoked => UpstreamErrors.InvalidToken,
            _ when limit.HasRunOut || entry.Token.IsCancellationRequested => UpstreamErrors.UpstreamTimeout,
            (504, _) or (_, ForwarderError.RequestTimedOut) => UpstreamErrors.UpstreamTimeout,
            (413, _) => UpstreamErrors.BodyTooLarge,
            ( >= 400 and < 500, _) => UpstreamErrors.BadRequest,
            _ => UpstreamErrors.UpstreamUnreachable,
        };
    }

    private ConnectionError Rejected(UpstreamCall call) =>
        UpstreamErrors.TokenRejected with { Details = [("consentUrl", ConsentUrl(call.Settings.Connection))] };

    // A page and not the call behind it: whoever opens it sees a button, signed in or not yet.
    private string ConsentUrl(string connection) => edge.PublicOrigin + ConnectionPages.PathOf(connection);

    private async Task<ConnectionError?> TakeTokenAsync(UpstreamCall call, AccessTokenRequest request, CancellationToken cancellationToken)
    {
        var person = new PersonKey(call.Caller.Issuer, call.Caller.Subject);
        var result = await vault!.GetAccessTokenAsync(person, call.Settings.Connection, request, cancellationToken);
        if (result.Token is not { } token)
        {
            return UpstreamErrors.FromVault(result, ConsentUrl(call.Settings.Connection));
        }

        call.Token = token;
        return null;
    }

    private async Task<ConnectionError?> SendAsync(HttpContext context, UpstreamCall call, UpstreamOpenCalls.Entry entry)
    {
        using var limit = new ResponseHeaderLimit(call.Settings.ResponseHeaderTimeout, clock, entry.End);
        call.Limit = limit;
        call.Verdict = UpstreamVerdict.Relayed;
        if (context.Request.Body is MemoryStream || !context.State().CanHaveBody)
        {
            limit.RequestRead();
        }
        else
        {
            context.Request.Body = new EndNotingStream(context.Request.Body, limit.RequestRead, null);
        }

        var config = new ForwarderRequestConfig
        {
            ActivityTimeout = call.Settings.ActivityTimeout,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        var error = await forwarder.SendAsync(context, call.Settings.Origin, clients.For(call.Settings), config, _transformer, entry.Token);
        return Outcome(context, entry, limit, error);
    }
}
