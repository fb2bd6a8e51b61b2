using Microsoft.Extensions.Primitives;

namespace Berth.Edge;

/// <summary>Reads the Cookie header as it is, so that two cookies of one name are seen as two.</summary>
/// <remarks>Each request comes through here: nothing is copied out of the header but what is asked for.</remarks>
internal static class CookieHeader
{
    // A browser keeps fewer per host; more is an attempt to make us work.
    private const int MaximumCookies = 200;

    /// <summary>The values of every cookie with this exact name, in order.</summary>
    public static IReadOnlyList<string> ValuesOf(IHeaderDictionary headers, string name) => Choose(headers.Cookie, name, isPrefix: false);

    /// <summary>The value of the one cookie with this exact name; empty where there is none or more than one.</summary>
    public static ReadOnlySpan<char> SoleValueOf(IHeaderDictionary headers, string name)
    {
        if (headers.Cookie is not [{ } header])
        {
            return default;
        }

        ReadOnlySpan<char> sole = default;
        var left = MaximumCookies;
        foreach (var range in header.AsSpan().Split(';'))
        {
            var pair = header.AsSpan(range);
            var equals = pair.IndexOf('=');
            if (left-- <= 0 || equals <= 0 || !pair[..equals].Trim().SequenceEqual(name))
            {
                continue;
            }

            if (!sole.IsEmpty)
            {
                return default;
            }

            sole = pair[(equals + 1)..].Trim();
        }

        return sole;
    }

    /// <summary>Names that start with a prefix.</summary>
    public static IReadOnlyList<string> NamesWith(IHeaderDictionary headers, string prefix) =>
        Choose(headers.Cookie, prefix, isPrefix: true);

    /// <summary>The header without our cookies; null when nothing is left.</summary>
    /// <param name="cookie">The Cookie header.</param>
    /// <param name="visibleAsciiOnly">Leave out cookies with other characters, which an answer's header cannot carry.</param>
    public static string? WithoutOurs(StringValues cookie, bool visibleAsciiOnly = false)
    {
        List<string>? kept = null;
        foreach (var header in cookie)
        {
            foreach (var range in header.AsSpan().Split(';'))
            {
                var pair = header.AsSpan(range);
                var equals = pair.IndexOf('=');
                if (!CookieNames.IsOurs(equals < 0 ? pair : pair[..equals]) && pair.Trim().Length > 0
                    && (!visibleAsciiOnly || !pair.ContainsAnyExceptInRange(' ', '~')))
                {
                    (kept ??= []).Add(pair.Trim().ToString());
                }
            }
        }

        return kept is null ? null : string.Join("; ", kept);
    }

    // Values of a name, or names with a prefix.
    private static List<string> Choose(StringValues cookie, string wanted, bool isPrefix)
    {
        List<string>? chosen = null;
        foreach (var header in cookie)
        {
            var left = MaximumCookies;
            foreach (var range in header.AsSpan().Split(';'))
            {
                var pair = header.AsSpan(range);
                var equals = pair.IndexOf('=');
                if (left-- <= 0 || equals <= 0)
                {
                    continue;
                }

                var name = pair[..equals].Trim();
                if (isPrefix ? name.StartsWith(wanted, StringComparison.Ordinal) : name.SequenceEqual(wanted))
                {
                    (chosen ??= []).Add((isPrefix ? name : pair[(equals + 1)..].Trim()).ToString());
                }
            }
        }

        return chosen ?? [];
    }
}
