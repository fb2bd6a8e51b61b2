using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Forwarder;

namespace Berth.Edge;

/// <summary>What changes on the way to a workspace and back. Everything it needs is in the features of the request.</summary>
internal sealed class WorkspaceTransformer(EdgeSettings settings, WorkspaceIdentitySigner signer, BodyBytes bytes) : HttpTransformer
{
    // Alt-Svc would let a workspace move its clients past the edge; Clear-Site-Data reaches cookies of the whole domain.
    private static readonly string[] Withheld = [ProtectedHeaders.Identity, "Alt-Svc", "Clear-Site-Data"];

    /// <inheritdoc/>
    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var state = httpContext.State();
        var (request, access) = (state.Canonical!, state.Access!);

        // The very bytes that were decided on go on; nobody parses them again here.
        proxyRequest.RequestUri = new Uri(
            destinationPrefix + request.Path[1..] + request.Query,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

        // Taken out here and not of what came: a header that stays as it is need not be read anew from the connection's next request.
        proxyRequest.Headers.Remove("Cookie");
        if (CookieHeader.WithoutOurs(httpContext.Request.Headers.Cookie) is { } cookies
            && (request.Prefix.Length == 0 ? cookies : FolderCookies.ToApplication(cookies)) is { } passed)
        {
            proxyRequest.Headers.TryAddWithoutValidation("Cookie", passed);
        }

        // Applications compare Origin with Host, so they see the host that the browser sees.
        var authority = settings.WorkspaceAuthority(access.Workspace.Host);
        proxyRequest.Headers.Remove("Host"); // which would be parsed before it is replaced
        proxyRequest.Headers.Host = authority;

        // Protected headers were stripped before anything was decided; what the workspace sees of them is ours alone.
        Set(proxyRequest, "X-Forwarded-For", request.ClientAddress.ToString());
        Set(proxyRequest, "X-Forwarded-Host", authority);
        Set(proxyRequest, "X-Forwarded-Proto", settings.Scheme);
        EdgeTraces.Propagate(proxyRequest);
        if (request.Prefix.Length > 0)
        {
            Set(proxyRequest, "X-Forwarded-Prefix", request.Prefix);
        }

        Set(proxyRequest, ProtectedHeaders.Identity, signer.Sign(access));
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        var state = httpContext.State();
        state.AnswerLimit?.AnswerBegan();
        if (proxyResponse is not null)
        {
            ProtocolSwitch.Check(httpContext, proxyResponse);
        }

        var copied = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        var headers = httpContext.Response.Headers;
        foreach (var name in Withheld)
        {
            headers.Remove(name);
        }

        if (headers.SetCookie.Count > 0)
        {
            headers.SetCookie = UpstreamCookies.Filter(headers.SetCookie);
        }

        if (state.Canonical is { Prefix.Length: > 0 } inFolder)
        {
            FolderHeaders.Confine(headers, inFolder, settings.WorkspaceOrigin(inFolder.Host));
        }

        if (proxyResponse is not null)
        {
            bytes.CountAnswer(httpContext);
        }

        return copied;
    }

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }
}

/// <summary>Set-Cookie of a workspace.</summary>
internal static class UpstreamCookies
{
    /// <summary>Drops cookies with our names; takes Domain away, so that a workspace sets cookies for its own host and no other.</summary>
    public static StringValues Filter(StringValues cookies)
    {
        var kept = new List<string>(cookies.Count);
        foreach (var cookie in cookies)
        {
            if (cookie is null || CookieNames.IsOurs(NameOf(cookie)))
            {
                continue;
            }

            kept.Add(HostOnly(cookie));
        }

        return new StringValues([.. kept]);
    }

    private static ReadOnlySpan<char> NameOf(string cookie)
    {
        var pair = cookie.AsSpan();
        var end = pair.IndexOf(';');
        pair = end < 0 ? pair : pair[..end];
        var equals = pair.IndexOf('=');

        // "=berth=x" is a cookie without a name to some, and berth to the server that reads it back.
        return equals <= 0 ? pair.TrimStart('=').ToString().Split('=')[0] : pair[..equals];
    }

    private static string HostOnly(string cookie)
    {
        var parts = cookie.Split(';');
        return Array.Exists(parts, IsDomain) ? string.Join(';', parts.Where(p => !IsDomain(p))) : cookie;
    }

    private static bool IsDomain(string attribute)
    {
        var name = attribute.AsSpan();
        var equals = name.IndexOf('=');
        return (equals < 0 ? name : name[..equals]).Trim().Equals("Domain", StringComparison.OrdinalIgnoreCase);
    }
}
