namespace Berth.Resources;

/// <summary>
/// Header names by which proxies tell applications who comes, and from where: what a client sends under them must not arrive. One list for
/// the edge, which removes them where it forwards, and for the Traefik middlewares that the operator writes.
/// </summary>
public static class IdentityHeaders
{
    /// <summary>Single names, in lower case.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "x-cluster-client-ip", "x-original-url", "x-original-uri",
        "x-original-host", "x-original-method", "x-rewrite-url", "x-user", "x-email",
    ];

    /// <summary>Beginnings of names in lower case, with and without a leading <c>x-</c>.</summary>
    public static IReadOnlyList<string> Families { get; } =
    [
        "workspace-identity", "berth-", "forwarded-", "auth-request-", "auth-user", "authenticated-", "remote-user", "remote-group",
        "remote-name", "remote-email", "webauth-", "goog-authenticated-", "pomerium-", "oidc-", "token-subject",
    ];

    private const string Separator = "[-_.]";

    /// <summary>
    /// What Traefik tells applications itself, after its entry point has removed the client's (<c>forwardedHeaders</c>): it must stay, in
    /// this spelling.
    /// </summary>
    private static readonly string[] TraefiksOwn = ["for", "host", "port", "proto", "server"];

    /// <summary>
    /// The same as a regular expression for Traefik's <c>authResponseHeadersRegex</c> (Go's RE2 on canonical names): what matches is
    /// removed from the request, and taken from the edge's answer where that has it.
    /// </summary>
    /// <remarks>
    /// Servers that make variables of header names cannot tell <c>-</c>, <c>_</c> and <c>.</c> apart, so each stands for all. RE2 knows no
    /// look-ahead; that a name is none of Traefik's own is written out letter by letter.
    /// </remarks>
    public static string TraefikPattern { get; } = MakePattern();

    private static string MakePattern()
    {
        var names = Names.Where(n => n != "x-real-ip").Select(Spelled);
        var families = Families.Where(f => f != "forwarded-").Select(f => $"(x{Separator})?{Spelled(f)}.*");

        // X-Forwarded-User and all its kin, less what Traefik speaks; with another separator anywhere it is nobody's but the client's.
        return $"(?i)^({string.Join('|', names)}|{string.Join('|', families)}|forwarded{Separator}.*|x[_.]forwarded{Separator}.*"
            + $"|x-forwarded[_.].*|x-forwarded-({NoneOf(TraefiksOwn)}))$";
    }

    private static string Spelled(string name) => name.Replace("-", Separator, StringComparison.Ordinal);

    // Everything but the given words, as a prefix tree: at each node a letter that leads nowhere, or an end where no word ends.
    private static string NoneOf(IReadOnlyCollection<string> words)
    {
        var next = words.Where(w => w.Length > 0).GroupBy(w => w[0]).OrderBy(g => g.Key).ToArray();
        List<string> parts = [next.Length == 0 ? ".+" : $"[^{string.Concat(next.Select(g => g.Key))}].*"];
        parts.AddRange(next.Select(g => $"{g.Key}({NoneOf([.. g.Select(w => w[1..])])})"));
        return string.Join('|', words.Contains("") ? parts : [.. parts, ""]);
    }
}
