using System.Net;
using System.Text.RegularExpressions;
using Berth.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Berth.Edge.Tests.Traefik;

/// <summary>Where Traefik's versions differ in what matters here.</summary>
public enum TraefikVersion
{
    /// <summary>
    /// 3.0: the entry point leaves X-Forwarded-Prefix of the client, rules see the decoded path, the path goes on as it came, and what the
    /// client's Connection names is dropped from the request that goes on, whatever it is (CVE-2024-45410).
    /// </summary>
    V30,

    /// <summary>
    /// 3.7: X-Forwarded-Prefix goes too, forwarded headers cannot be nominated, the path is cleaned before rules see it (unreserved
    /// characters decoded, dot segments and double slashes resolved), and that is what goes on.
    /// </summary>
    V37,
}

/// <summary>
/// What Traefik does with the objects that the operator writes: entry point, routing, the headers and forwardAuth middlewares, the way to
/// the service. Written from the documented behaviour, as requests on real connections.
/// </summary>
internal sealed class TraefikModel : IAsyncDisposable
{
    /// <summary>Whom Traefik sees, whoever connects.</summary>
    public const string Client = "203.0.113.9";

    private static readonly string[] HopHeaders =
        ["Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailers", "Transfer-Encoding", "Upgrade"];

    private static readonly string[] Forwarded =
    [
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded-Uri",
        "X-Forwarded-Method", "X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info", "X-Real-Ip",
    ];

    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, UseProxy = false });

    private readonly HttpMessageInvoker _auth;
    private readonly TraefikVersion _version;
    private readonly IReadOnlyDictionary<string, int> _services;
    private readonly (Func<RuleInput, bool> Matches, Route Route)[] _routes;
    private readonly Dictionary<string, MiddlewareSpec> _middlewares;

    private TraefikModel(WebApplication app, TraefikVersion version, IEnumerable<IngressRoute> routes, IEnumerable<Middleware> middlewares,
        IReadOnlyDictionary<string, int> services, int edgePort)
    {
        (_app, _version, _services) = (app, version, services);
        _auth = new HttpMessageInvoker(Loopback.Handler(edgePort));
        _middlewares = middlewares.ToDictionary(m => m.Metadata.Name!, m => m.Spec);
        _routes = [.. routes.SelectMany(r => r.Spec.Routes).OrderByDescending(r => r.Priority)
            .Select(r => (TraefikRule.Parse(r.Match), r))];
    }

    public int Port { get; private set; }

    /// <summary>Questions that were asked.</summary>
    public int Questions { get; private set; }

    /// <param name="version">Version.</param>
    /// <param name="routes">Routes.</param>
    /// <param name="middlewares">Middlewares.</param>
    /// <param name="services">Ports of this machine by the names of Services.</param>
    /// <param name="edgePort">Where the names below .test lead.</param>
    public static async Task<TraefikModel> StartAsync(TraefikVersion version, IEnumerable<IngressRoute> routes,
        IEnumerable<Middleware> middlewares, IReadOnlyDictionary<string, int> services, int edgePort)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var model = new TraefikModel(app, version, routes, middlewares, services, edgePort);
        app.Run(model.ServeAsync);
        await app.StartAsync();
        model.Port = new Uri(app.Urls.Single()).Port;
        return model;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
        _auth.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        EnterPoint(context);
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var (path, query) = target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var mark
            ? (target[..mark], target[mark..]) : (target, "");
        path = _version == TraefikVersion.V37 ? Cleaned(path) : path;
        var matched = _version == TraefikVersion.V37 ? path : Uri.UnescapeDataString(path);
        var input = new RuleInput(context.Request.Host.Host.ToLowerInvariant().TrimEnd('.'), matched, context.Request.Headers);
        if (Array.Find(_routes, r => r.Matches(input)).Route is not { } route)
        {
            context.Response.StatusCode = 404;
            return;
        }

        IReadOnlyList<SetCookieFromAuth> cookies = [];
        foreach (var name in route.Middlewares?.Select(m => m.Name) ?? [])
        {
            var middleware = _middlewares[name];
            if (middleware.Headers?.CustomRequestHeaders is { } custom)
            {
                foreach (var (header, value) in custom)
                {
                    context.Request.Headers[header] = value.Length == 0 ? StringValues.Empty : value;
                }
            }

            if (middleware.ForwardAuth is { } auth && await AskAsync(context, auth, path + query) is var passed)
            {
                if (passed is null)
                {
                    return;
                }

                cookies = passed;
            }
        }

        await PassAsync(context, _services[route.Services!.Single().Name], path + query, cookies);
    }

    // The peer is in none of forwardedHeaders.trustedIPs.
    private void EnterPoint(HttpContext context)
    {
        var headers = context.Request.Headers;
        foreach (var name in _version == TraefikVersion.V37 ? [.. Forwarded, "X-Forwarded-Prefix"] : Forwarded)
        {
            headers.Remove(name);
        }

        headers["X-Forwarded-Proto"] = IsUpgrade(headers) ? "ws" : "http";
        headers["X-Forwarded-Host"] = headers.Host;
        headers["X-Forwarded-Port"] = "8080";
        headers["X-Forwarded-Server"] = "traefik";
        headers["X-Real-Ip"] = Client;
    }

    private static bool IsUpgrade(IHeaderDictionary headers) =>
        headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase);

    /// <summary>Asks; null when the answer has been given to the client.</summary>
    private async Task<IReadOnlyList<SetCookieFromAuth>?> AskAsync(HttpContext context, ForwardAuth auth, string target)
    {
        Assert.False(auth.TrustForwardHeader ?? true, "The model knows trustForwardHeader: false only.");
        Questions++;
        var headers = context.Request.Headers;
        using var question = new HttpRequestMessage(HttpMethod.Get, auth.Address);
        var copied = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase);
        var nominated = Nominated(headers);
        foreach (var (name, values) in headers)
        {
            if (!HopHeaders.Contains(name, StringComparer.OrdinalIgnoreCase) && !nominated.Contains(name)
                && !name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
            {
                copied[name] = values.ToArray()!;
            }
        }

        copied.Remove("Host");
        copied["X-Forwarded-For"] = [Client];
        copied["X-Forwarded-Method"] = [context.Request.Method];
        copied["X-Forwarded-Proto"] = ["http"];
        copied["X-Forwarded-Host"] = [headers.Host.ToString()];
        copied["X-Forwarded-Uri"] = [target];
        foreach (var (name, values) in copied)
        {
            question.Headers.TryAddWithoutValidation(name, values);
        }

        using var answer = await _auth.SendAsync(question, context.RequestAborted);
        if ((int)answer.StatusCode is < 200 or >= 300)
        {
            context.Response.StatusCode = (int)answer.StatusCode;
            Copy(answer, context.Response.Headers);
            if (answer.Headers.Location is { } location && auth.PreserveLocationHeader != true)
            {
                context.Response.Headers.Location = new Uri(new Uri(auth.Address), location).AbsoluteUri;
            }

            await context.Response.Body.WriteAsync(await answer.Content.ReadAsByteArrayAsync());
            return null;
        }

        foreach (var name in auth.AuthResponseHeaders ?? [])
        {
            headers.Remove(name);
            if (answer.Headers.TryGetValues(name, out var values))
            {
                headers[name] = values.ToArray();
            }
        }

        if (auth.AuthResponseHeadersRegex is { } pattern)
        {
            var regex = new Regex(pattern, RegexOptions.CultureInvariant);
            foreach (var name in headers.Keys.Where(n => regex.IsMatch(n)).ToArray())
            {
                headers.Remove(name);
            }

            foreach (var (name, values) in answer.Headers.Where(h => regex.IsMatch(h.Key)))
            {
                headers[name] = values.ToArray();
            }
        }

        return answer.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? [.. cookies.Select(c => new SetCookieFromAuth(c, auth.AddAuthCookiesToResponse?.Contains(NameOf(c)) == true))]
            : [];
    }

    private async Task PassAsync(HttpContext context, int port, string target, IReadOnlyList<SetCookieFromAuth> cookies)
    {
        var headers = context.Request.Headers;
        var upgrade = IsUpgrade(headers) ? headers.Upgrade.ToString() : null;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method),
            new Uri($"http://127.0.0.1:{port}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true)
        {
            request.Content = new StreamContent(context.Request.Body);
        }

        headers["X-Forwarded-For"] = Client;
        var nominated = Nominated(headers);
        foreach (var (name, values) in headers)
        {
            var isDropped = nominated.Contains(name)
                && (_version == TraefikVersion.V30 || !Forwarded.Contains(name, StringComparer.OrdinalIgnoreCase));
            if (!HopHeaders.Contains(name, StringComparer.OrdinalIgnoreCase) && !isDropped
                && !request.Headers.TryAddWithoutValidation(name, values.ToArray()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
            }
        }

        if (upgrade is not null)
        {
            request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
            request.Headers.TryAddWithoutValidation("Upgrade", upgrade);
        }

        using var answer = await _http.SendAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        Copy(answer, context.Response.Headers);
        if (cookies.Count > 0)
        {
            // Named ones come from the answer of the edge alone, all others from the application alone.
            var named = cookies.Where(c => c.IsNamed).Select(c => c.Text).ToArray();
            context.Response.Headers.SetCookie =
                (string[])[.. context.Response.Headers.SetCookie.Where(c => !named.Select(NameOf).Contains(NameOf(c!)))!, .. named];
        }

        await using var body = await answer.Content.ReadAsStreamAsync();
        if (answer.StatusCode == HttpStatusCode.SwitchingProtocols)
        {
            context.Response.Headers.Connection = "Upgrade";
            context.Response.Headers.Upgrade = answer.Headers.Upgrade.ToString();
            await using var stream = await context.Features.Get<IHttpUpgradeFeature>()!.UpgradeAsync();
            await Task.WhenAny(stream.CopyToAsync(body), body.CopyToAsync(stream));
            return;
        }

        var buffer = new byte[4096];
        int read;
        while ((read = await body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
            await context.Response.Body.FlushAsync();
        }
    }

    private static void Copy(HttpResponseMessage answer, IHeaderDictionary headers)
    {
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!HopHeaders.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                headers[name] = values.ToArray();
            }
        }
    }

    private static HashSet<string> Nominated(IHeaderDictionary headers) =>
        headers.Connection.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static string NameOf(string cookie) => cookie.Split('=')[0];

    private static string Cleaned(string path)
    {
        var text = Regex.Replace(path, "%[0-9A-Fa-f]{2}", m =>
        {
            var c = (char)Convert.ToByte(m.Value[1..], 16);
            return char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' ? c.ToString() : m.Value.ToUpperInvariant();
        });
        var parts = new List<string>();
        foreach (var part in text.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("." or ".."))
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts) + (parts.Count > 0 && text.EndsWith('/') ? "/" : "");
    }

    private sealed record SetCookieFromAuth(string Text, bool IsNamed);
}
