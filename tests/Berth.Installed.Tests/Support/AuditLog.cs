using System.Globalization;
using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>One thing that an account may do, or did: a verb on a resource, named as in docs/rbac.md.</summary>
internal readonly record struct Right(string Account, string Verb, string Resource);

/// <summary>What accounts really asked of the API, as its audit log has it.</summary>
internal sealed class AuditLog(string path, DateTimeOffset since)
{
    private const string ServiceAccount = "system:serviceaccount:";

    /// <summary>Everything an account of the namespace was allowed.</summary>
    public Task<IReadOnlySet<Right>> UsedAsync(string ns) => ReadAsync(ns, "allow");

    /// <summary>Everything it asked for and was not.</summary>
    public Task<IReadOnlySet<Right>> RefusedAsync(string ns) => ReadAsync(ns, "forbid");

    private async Task<IReadOnlySet<Right>> ReadAsync(string ns, string decision)
    {
        var prefix = $"{ServiceAccount}{ns}:";
        var found = new HashSet<Right>();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.Contains(prefix, StringComparison.Ordinal) && line.EndsWith('}')
                && JsonNode.Parse(line) is { } entry
                && (string?)entry["user"]?["username"] is { } user && user.StartsWith(prefix, StringComparison.Ordinal)
                && (string?)entry["annotations"]?["authorization.k8s.io/decision"] == decision
                && entry["objectRef"] is { } of && of["resource"] is not null
                && DateTimeOffset.Parse((string)entry["requestReceivedTimestamp"]!, CultureInfo.InvariantCulture) >= since)
            {
                found.Add(new Right(user[prefix.Length..], (string)entry["verb"]!,
                    Rights.Name((string?)of["apiGroup"], (string)of["resource"]!, (string?)of["subresource"])));
            }
        }

        return found;
    }
}
