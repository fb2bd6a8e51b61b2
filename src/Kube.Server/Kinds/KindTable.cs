using System.Text.Json.Nodes;

namespace Kube.Server.Kinds;

/// <summary>All served kinds at one moment. Immutable; replaced when a CustomResourceDefinition changes.</summary>
internal sealed class KindTable
{
    private readonly Dictionary<(string Group, string Version, string Plural), KindInfo> _byPath = [];
    private readonly Dictionary<(string Group, string Kind), KindInfo> _byKind = [];
    private readonly Dictionary<GroupResource, KindInfo> _preferred = [];

    public KindTable(IEnumerable<KindInfo> kinds)
    {
        Kinds = kinds.ToList();
        foreach (var kind in Kinds)
        {
            _byPath.TryAdd((kind.Group, kind.Version, kind.Plural), kind);
            _byKind.TryAdd((kind.Group, kind.Kind), kind);
            if (!_preferred.TryGetValue(kind.Resource, out var present) || kind.Version == kind.StorageVersion
                || present.Version != present.StorageVersion)
            {
                _preferred[kind.Resource] = kind;
            }
        }
    }

    public IReadOnlyList<KindInfo> Kinds { get; }

    public IEnumerable<KindInfo> Preferred => _preferred.Values;

    public KindInfo? Find(string group, string version, string plural) => _byPath.GetValueOrDefault((group, version, plural));

    public KindInfo? FindKind(string group, string kind) =>
        _byKind.GetValueOrDefault((group, kind)) is { } found ? _preferred.GetValueOrDefault(found.Resource) ?? found : null;

    /// <summary>The storage version of a collection.</summary>
    public KindInfo? Get(GroupResource resource) => _preferred.GetValueOrDefault(resource);

    public IReadOnlyList<string> Groups =>
        _groups ??= Kinds.Select(k => k.Group).Distinct().OrderBy(g => g.Length > 0).ThenBy(g => Kinds.First(k => k.Group == g).IsCustom)
        .ThenBy(g => g, StringComparer.Ordinal).ToList();

    private List<string>? _groups;

    public IReadOnlyList<string> Versions(string group) =>
        Kinds.Where(k => k.Group == group).Select(k => k.Version).Distinct().OrderByDescending(v => v, VersionOrder.Instance).ToList();
}

/// <summary>Kubernetes' order of versions: GA before beta before alpha, higher numbers first, others last.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y) => Rank(x!).CompareTo(Rank(y!)) is var order and not 0 ? order : string.CompareOrdinal(y, x);

    private static (int, int, int) Rank(string version)
    {
        var match = System.Text.RegularExpressions.Regex.Match(version, "^v([0-9]+)(?:(alpha|beta)([0-9]+))?$");
        if (!match.Success)
        {
            return (-1, 0, 0);
        }
        var stage = match.Groups[2].Value switch { "" => 2, "beta" => 1, _ => 0 };
        return (stage, int.Parse(match.Groups[1].ValueSpan), match.Groups[3].Success ? int.Parse(match.Groups[3].ValueSpan) : 0);
    }
}
