using Microsoft.Extensions.Primitives;

namespace Berth.Edge;

/// <summary>Reads the Cookie header as it is, so that two cookies of one name are seen as two.</summary>
internal static class CookieHeader
{
    // A browser keeps fewer per host; more is an attempt to make us work.
    private const int MaximumCookies = 200;

    /// <summary>The values of every cookie with this exact name, in order.</summary>
    public static IEnumerable<string> ValuesOf(IHeaderDictionary headers, string name) =>
        Pairs(headers.Cookie).Where(p => p.Name == name).Select(p => p.Value);

    /// <summary>Names that start with a prefix.</summary>
    public static IEnumerable<string> NamesWith(IHeaderDictionary headers, string prefix) =>
        Pairs(headers.Cookie).Select(p => p.Name).Where(n => n.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>The header without our cookies; null when nothing is left.</summary>
    /// <param name="cookie">The Cookie header.</param>
    /// <param name="visibleAsciiOnly">Leave out cookies with other characters, which an answer's header cannot carry.</param>
    public static string? WithoutOurs(StringValues cookie, bool visibleAsciiOnly = false)
    {
        var kept = new List<string>();
        foreach (var header in cookie)
        {
            foreach (var pair in (header ?? "").Split(';'))
            {
                var equals = pair.IndexOf('=');
                if (!CookieNames.IsOurs(equals < 0 ? pair : pair.AsSpan(0, equals)) && pair.AsSpan().Trim().Length > 0
                    && (!visibleAsciiOnly || !pair.AsSpan().ContainsAnyExceptInRange(' ', '~')))
                {
                    kept.Add(pair.Trim());
                }
            }
        }

        return kept.Count == 0 ? null : string.Join("; ", kept);
    }

    private static IEnumerable<(string Name, string Value)> Pairs(StringValues cookie)
    {
        foreach (var pair in cookie.SelectMany(h => (h ?? "").Split(';', MaximumCookies)))
        {
            var split = pair.IndexOf('=');
            if (split > 0)
            {
                yield return (pair[..split].Trim(), pair[(split + 1)..].Trim());
            }
        }
    }
}
