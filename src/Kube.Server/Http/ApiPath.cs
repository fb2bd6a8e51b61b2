namespace Kube.Server.Http;

/// <summary>A resource path taken apart. <see cref="Resource"/> empty: a discovery path.</summary>
internal sealed record ApiPath(string Group, string Version, string? Namespace, string Resource, string Name, string Subresource,
    bool LegacyWatch)
{
    public static ApiPath? Parse(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = Uri.UnescapeDataString(parts[i]);
        }
        string group, version;
        string[] rest;
        switch (parts)
        {
            case ["api", var coreVersion, ..]:
                (group, version, rest) = ("", coreVersion, parts[2..]);
                break;
            case ["apis", var named, var namedVersion, ..]:
                (group, version, rest) = (named, namedVersion, parts[3..]);
                break;
            default:
                return null;
        }
        var watch = rest is ["watch", ..];
        if (watch)
        {
            rest = rest[1..];
        }
        // /namespaces/x is the namespace itself; with a third part that is not a subresource of it, x scopes what follows.
        if (rest is ["namespaces", var ns, var resource, ..]
            && !(group.Length == 0 && rest.Length == 3 && resource is "status" or "finalize"))
        {
            return rest.Length > 5 ? null : new ApiPath(group, version, ns, resource, Get(rest, 3), Get(rest, 4), watch);
        }
        return rest.Length > 3 ? null : new ApiPath(group, version, null, Get(rest, 0), Get(rest, 1), Get(rest, 2), watch);
    }

    private static string Get(string[] parts, int index) => index < parts.Length ? parts[index] : "";
}
