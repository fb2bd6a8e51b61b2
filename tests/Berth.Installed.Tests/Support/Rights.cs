using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>Where a right holds.</summary>
internal enum Place
{
    /// <summary>The whole cluster.</summary>
    Cluster,

    /// <summary>The namespace of the release.</summary>
    Release,

    /// <summary>The namespace of workspaces.</summary>
    Workspaces,

    /// <summary>A namespace that has nothing to do with Berth.</summary>
    Elsewhere,
}

/// <summary>What the chart's roles give, and what docs/rbac.md says they give.</summary>
internal static class Rights
{
    public static string Page => Path.Combine(Given.Repository, "docs", "rbac.md");

    /// <summary>A resource in one word: <c>pods/log</c>, <c>leases.coordination.k8s.io</c>, <c>secrets:berth-keys</c>.</summary>
    public static string Name(string? group, string resource, string? subresource = null, string? name = null)
    {
        var parts = subresource is { Length: > 0 } ? [resource, subresource] : resource.Split('/');
        return parts[0] + (string.IsNullOrEmpty(group) ? "" : "." + group) + (parts.Length > 1 ? "/" + parts[1] : "")
            + (name is null ? "" : ":" + name);
    }

    /// <summary>The resource without the name of an object.</summary>
    public static Right Any(this Right right) => right with { Resource = right.Resource.Split(':')[0] };

    /// <summary>What roles that the chart binds give, by account and place.</summary>
    public static IReadOnlyDictionary<(Right Right, Place Place), string> Granted(Installation berth)
    {
        var granted = new Dictionary<(Right, Place), string>();
        var manifests = berth.Release.Manifests.Where(m => m.Hooks.Count == 0).ToList();
        foreach (var binding in manifests.Where(m => m.Kind is "RoleBinding" or "ClusterRoleBinding"))
        {
            var reference = binding.Json["roleRef"]!;
            var role = manifests.Single(m => m.Kind == (string)reference["kind"]! && m.Name == (string)reference["name"]!
                && (m.Kind == "ClusterRole" || (m.Namespace ?? berth.Namespace) == (binding.Namespace ?? berth.Namespace)));
            var place = binding.Kind == "ClusterRoleBinding" ? Place.Cluster
                : (binding.Namespace ?? berth.Namespace) == berth.Workspaces ? Place.Workspaces : Place.Release;
            foreach (var subject in binding.Json["subjects"]!.AsArray())
            {
                foreach (var rule in role.Json["rules"]!.AsArray())
                {
                    foreach (var (verb, resource) in Pairs(rule!))
                    {
                        granted.TryAdd((new Right((string)subject!["name"]!, verb, resource), place), role.Title);
                    }
                }
            }
        }

        return granted;
    }

    /// <summary>The rows of a table of the page: account, verbs, resources, where, and whatever else stands behind.</summary>
    public static IReadOnlyList<(Right Right, Place Place)> Table(string heading)
    {
        var lines = File.ReadLines(Page).SkipWhile(l => l != heading).Skip(1)
            .TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal));
        var rows = lines.Where(l => l.StartsWith('|')).Skip(2)
            .Select(l => l.Trim('|').Split('|', StringSplitOptions.TrimEntries)).ToList();
        return rows.Count == 0
            ? throw new InvalidOperationException($"docs/rbac.md has no table below {heading}")
            : [.. rows.SelectMany(r => from verb in List(r[1])
                from resource in List(r[2])
                from place in List(r[3])
                select (new Right(r[0], verb, resource), Enum.Parse<Place>(place, ignoreCase: true)))];
    }

    private static string[] List(string cell) => cell.Replace("`", "", StringComparison.Ordinal).Split(',', StringSplitOptions.TrimEntries);

    private static IEnumerable<(string Verb, string Resource)> Pairs(JsonNode rule) =>
        from verb in rule["verbs"]!.AsArray()
        from name in rule["resources"]?.AsArray() ?? []
        from @group in rule["apiGroups"]!.AsArray()
        from one in rule["resourceNames"]?.AsArray().Select(n => (string?)n) ?? [null]
        select ((string)verb!, Name((string)@group!, (string)name!, null, one));
}
