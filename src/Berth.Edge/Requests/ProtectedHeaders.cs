using System.Collections.Frozen;
using Berth.Resources;
using Microsoft.Extensions.Primitives;

namespace Berth.Edge;

/// <summary>Header names that only the edge (or a trusted proxy before it) may speak: identities and forwarding.</summary>
internal static class ProtectedHeaders
{
    /// <summary>The signed identity that the edge adds for a workspace.</summary>
    public const string Identity = "X-Workspace-Identity";

    private static readonly FrozenSet<string> Names = IdentityHeaders.Names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    // An array: it is walked for each header of each request.
    private static readonly string[] Families = [.. IdentityHeaders.Families];

    /// <summary>Whether the name, in this spelling, is protected.</summary>
    public static bool IsProtected(ReadOnlySpan<char> name)
    {
        if (Names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name))
        {
            return true;
        }

        var rest = name.StartsWith("X-", StringComparison.OrdinalIgnoreCase) ? name[2..] : name;
        foreach (var family in Families)
        {
            if (rest.StartsWith(family, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a CGI-style server would take this name, which is not protected itself, for a protected one: <c>X_Forwarded_User</c>.
    /// </summary>
    public static bool IsDisguised(string name) => name.AsSpan().IndexOfAny('_', '.', ' ') >= 0
        && IsProtected(name.Replace('_', '-').Replace('.', '-').Replace(' ', '-'));

    /// <summary>Whether a Connection header names a protected header, which would make a proxy on the way drop the real one.</summary>
    public static bool IsNominated(StringValues connection)
    {
        foreach (var value in connection)
        {
            foreach (var token in (value ?? "").Split(','))
            {
                var name = token.Trim();
                if (name.Length > 0 && (IsProtected(name) || IsDisguised(name) || name.Equals("Cookie", StringComparison.OrdinalIgnoreCase)
                    || name.Equals("Host", StringComparison.OrdinalIgnoreCase)
                    || name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Removes every protected header.</summary>
    public static void Strip(IHeaderDictionary headers)
    {
        List<string>? doomed = null;
        foreach (var (name, _) in headers)
        {
            if (IsProtected(name))
            {
                (doomed ??= []).Add(name);
            }
        }

        foreach (var name in doomed ?? [])
        {
            headers.Remove(name);
        }
    }
}
