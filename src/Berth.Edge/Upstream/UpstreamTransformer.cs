using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>What changes on the way to an API and back. Everything it needs is in the <see cref="UpstreamCall"/> of the request.</summary>
internal sealed class UpstreamTransformer(BodyBytes bytes) : HttpTransformer
{
    /// <inheritdoc/>
    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var call = httpContext.Features.Get<UpstreamCall>()!;

        // The very bytes that were decided on, below an address of the configuration: nothing of the caller's chooses the host.
        proxyRequest.RequestUri = new Uri(call.Address, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        proxyRequest.Headers.Host = null;
        UpstreamHeaders.StripRequest(proxyRequest.Headers, call.Settings.TokenHeader);
        proxyRequest.Headers.TryAddWithoutValidation(call.Settings.TokenHeader, call.Settings.TokenPrefix + call.Token!.Value);
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return false;
        }

        var call = httpContext.Features.Get<UpstreamCall>()!;
        call.Limit?.AnswerBegan();
        var status = (int)proxyResponse.StatusCode;
        call.Verdict = status switch
        {
            // Ours to answer: to the caller 401 would mean that their own token is not good.
            401 => UpstreamVerdict.TokenRefused,
            101 or 407 => UpstreamVerdict.AnswerRefused,
            _ => UpstreamVerdict.Relayed,
        };
        var isRedirect = status is >= 300 and < 400;
        var location = proxyResponse.Headers.NonValidated.TryGetValues("Location", out var stated) ? stated.ToString() : null;
        var ours = location is null ? null : UpstreamRedirects.Rewrite(call, location);
        if (isRedirect && location is not null && ours is null)
        {
            call.Verdict = UpstreamVerdict.RedirectRefused;
        }

        if (call.Verdict != UpstreamVerdict.Relayed)
        {
            return false;
        }

        var copied = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        Finish(httpContext.Response.Headers, call, ours);
        bytes.CountAnswer(httpContext);
        return copied;
    }

    /// <summary>Trailers are not passed on: they arrive when the headers that would be compared with are gone.</summary>
    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    private static void Finish(IHeaderDictionary headers, UpstreamCall call, string? location)
    {
        UpstreamHeaders.StripAnswer(headers, call.Settings.TokenHeader, call.Token!.Value);
        headers.Remove("Trailer");
        Replace(headers, "Location", _ => location);
        Replace(headers, "Content-Location", value => UpstreamRedirects.Rewrite(call, value));
        Replace(headers, "Link", value => UpstreamRedirects.RewriteLinks(call, value));
        headers.CacheControl = UpstreamHeaders.CacheControl(headers.CacheControl.ToString());
        headers.ContentSecurityPolicy = UpstreamHeaders.ContentSecurityPolicy;
        headers[UpstreamCors.AnswerHeader] = "upstream";
    }

    private static void Replace(IHeaderDictionary headers, string name, Func<string, string?> change)
    {
        if (headers.TryGetValue(name, out var values))
        {
            headers.Remove(name);
            if (change(values.ToString()) is { } value)
            {
                headers[name] = value;
            }
        }
    }
}
