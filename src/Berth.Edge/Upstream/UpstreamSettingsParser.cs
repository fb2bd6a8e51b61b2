using System.Collections.Immutable;
using System.Net;

namespace Berth.Edge;

/// <summary>Checks and parses the <see cref="UpstreamOptions"/> of all connections; every problem is named.</summary>
internal sealed class UpstreamSettingsParser(ICollection<string> problems)
{
    private static readonly string[] ReservedHeaders =
    [
        "Host", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Keep-Alive", "Expect",
        "Cookie", "Set-Cookie", "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Connection",
    ];

    private string _section = "";

    /// <summary>Parses the connections that have an API.</summary>
    public UpstreamSettingsSet Parse(IReadOnlyDictionary<string, UpstreamOptions?> connections)
    {
        var found = ImmutableDictionary.CreateBuilder<string, UpstreamSettings>(StringComparer.Ordinal);
        foreach (var (name, options) in connections)
        {
            if (options is not null && ParseOne(name, options) is { } settings)
            {
                found[name] = settings;
            }
        }

        return new UpstreamSettingsSet(found.ToImmutable());
    }

    private UpstreamSettings? ParseOne(string name, UpstreamOptions options)
    {
        _section = $"{EdgeOptions.Section}:Connections:{name}:Upstream";
        var before = problems.Count;
        var address = Base(options);
        var methods = Methods("AllowedMethods", options.AllowedMethods, ["GET", "HEAD"]);
        var corsMethods = Methods("Cors:AllowedMethods", options.Cors.AllowedMethods, [.. methods]);
        var paths = Paths(options.AllowedPaths, methods);
        Header(options);
        Limits(options);
        var origins = Origins(options.Cors.AllowedOrigins);
        var headers = Names("Cors:AllowedHeaders", options.Cors.AllowedHeaders, ["authorization", "content-type", "accept", "if-match"]);
        var exposed = Names("Cors:ExposedHeaders", options.Cors.ExposedHeaders, ["etag", "link", "location", "retry-after"]);
        if (problems.Count > before)
        {
            return null;
        }

        return new UpstreamSettings
        {
            Connection = name,
            Origin = address!.GetLeftPart(UriPartial.Authority),
            BasePath = address.AbsolutePath.TrimEnd('/'),
            IsLoopback = IsLoopback(address),
            Methods = methods,
            Paths = paths,
            TokenHeader = options.TokenHeader,
            TokenPrefix = options.TokenScheme.Length == 0 ? "" : options.TokenScheme + " ",
            AllowSessionCookie = options.AllowSessionCookie,
            Cors = new CorsPolicy
            {
                Origins = origins,
                Methods = corsMethods,
                Headers = headers,
                Exposed = $"{UpstreamCors.AnswerHeader.ToLowerInvariant()}, {string.Join(", ", exposed)}",
                MaximumAge = options.Cors.MaximumAge,
            },
            Rate = options.RateLimit,
            ConnectTimeout = options.ConnectTimeout,
            ResponseHeaderTimeout = options.ResponseHeaderTimeout,
            ActivityTimeout = options.ActivityTimeout,
            MaximumDuration = options.MaximumDuration,
            MaximumBody = options.MaximumBody,
            ReplayableBody = options.ReplayableBody,
        };
    }

    private static bool IsLoopback(Uri address) =>
        address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    // As it was written, before anybody took dot segments away.
    private static string RawPath(string address)
    {
        var rest = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..];
        return rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? rest[slash..].TrimEnd('/') : "";
    }

    private static bool IsToken(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private Uri? Base(UpstreamOptions options)
    {
        var text = options.BaseAddress;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
        {
            Problem("BaseAddress", $"is '{text}'; give an address such as https://api.example.com/v3");
            return null;
        }

        if (uri.UserInfo.Length > 0 || text.Contains('@', StringComparison.Ordinal) || uri.Query.Length > 0 || uri.Fragment.Length > 0
            || text.AsSpan().IndexOfAny('?', '#') >= 0)
        {
            Problem("BaseAddress", "has a user, a query or a fragment; give scheme, host and path only");
            return null;
        }

        var path = uri.AbsolutePath;
        if (CanonicalPath.Make(path, PathStrictness.Strict) != path || UpstreamPaths.HasEmptySegment(path)
            || RawPath(text) != path.TrimEnd('/'))
        {
            Problem("BaseAddress", $"is '{text}', whose path is not in its canonical form; leave out dot segments, double slashes and "
                + "escapes of what needs none");
            return null;
        }

        if (uri.Scheme == "http" && !IsLoopback(uri) && !options.AllowInsecure)
        {
            Problem("BaseAddress", $"is '{text}', and everybody on the way could read the token; use https, or set AllowInsecure where the "
                + "network encrypts by itself");
            return null;
        }

        return uri;
    }

    private ImmutableSortedSet<string> Methods(string name, IList<string> given, string[] otherwise)
    {
        var methods = given.Count == 0 ? otherwise : [.. given];
        foreach (var method in methods.Where(m => !UpstreamPaths.IsMethod(m)))
        {
            Problem(name, $"has '{method}'; give methods in upper case such as GET, POST (CONNECT and TRACE are never forwarded)");
        }

        return [.. methods];
    }

    private ImmutableArray<PathPattern> Paths(IList<string> given, ImmutableSortedSet<string> methods)
    {
        if (given.Count == 0)
        {
            Problem("AllowedPaths", "is empty, so that nothing could be called; list what is needed, or /** for everything");
        }

        var patterns = ImmutableArray.CreateBuilder<PathPattern>();
        foreach (var text in given)
        {
            if (PathPattern.Parse(text, out var problem) is not { } pattern)
            {
                Problem("AllowedPaths", $"has '{text}': {problem}");
            }
            else if (pattern.Methods.Except(methods) is { Count: > 0 } more)
            {
                Problem("AllowedPaths", $"has '{text}' with {string.Join(", ", more)}, which AllowedMethods does not have; add it there");
            }
            else
            {
                patterns.Add(pattern);
            }
        }

        return patterns.ToImmutable();
    }

    private void Header(UpstreamOptions options)
    {
        if (!IsToken(options.TokenHeader) || ReservedHeaders.Contains(options.TokenHeader, StringComparer.OrdinalIgnoreCase)
            || ProtectedHeaders.IsProtected(options.TokenHeader) || ProtectedHeaders.IsDisguised(options.TokenHeader))
        {
            Problem("TokenHeader", $"is '{options.TokenHeader}'; give the header that the API reads its token from, such as Authorization");
        }

        if (options.TokenScheme.Length > 0 && !IsToken(options.TokenScheme))
        {
            Problem("TokenScheme", $"is '{options.TokenScheme}'; give one word such as Bearer, or nothing");
        }
    }

    private ImmutableHashSet<string> Origins(IList<string> given)
    {
        foreach (var text in given)
        {
            if (CorsPolicy.Flaw(text) is { } flaw)
            {
                Problem("Cors:AllowedOrigins", $"has '{text}', which {flaw}");
            }
        }

        return [.. given];
    }

    private ImmutableSortedSet<string> Names(string name, IList<string> given, string[] otherwise)
    {
        var names = given.Count == 0 ? otherwise : [.. given.Select(n => n.ToLowerInvariant())];
        foreach (var bad in names.Where(n => !IsToken(n) || n is "cookie" or "set-cookie"))
        {
            Problem(name, $"has '{bad}'; give names of headers, and no cookies");
        }

        return [.. names];
    }

    private void Limits(UpstreamOptions options)
    {
        var rate = options.RateLimit;
        Range("RateLimit:Requests", rate.Requests, 1, 1_000_000);
        Range("RateLimit:Concurrent", rate.Concurrent, 1, 10_000);
        Range("MaximumBody", options.MaximumBody, 0, 1L << 40);
        Range("ReplayableBody", options.ReplayableBody, 0, 1024 * 1024);
        Range("RateLimit:Window", rate.Window, TimeSpan.FromHours(24));
        Range("Cors:MaximumAge", options.Cors.MaximumAge, TimeSpan.FromHours(24));
        Range("ConnectTimeout", options.ConnectTimeout, TimeSpan.FromMinutes(1));
        Range("ResponseHeaderTimeout", options.ResponseHeaderTimeout, TimeSpan.FromHours(1));
        Range("ActivityTimeout", options.ActivityTimeout, TimeSpan.FromHours(1));
        Range("MaximumDuration", options.MaximumDuration, TimeSpan.FromHours(24));
    }

    private void Range(string name, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            Problem(name, $"is {value}; give a number from {least} to {most}");
        }
    }

    private void Range(string name, TimeSpan value, TimeSpan most)
    {
        if (value < TimeSpan.FromSeconds(1) || value > most)
        {
            Problem(name, $"is {value}; give a time from 00:00:01 to {most}");
        }
    }

    private void Problem(string name, string text) => problems.Add($"{_section}:{name} {text}.");
}
