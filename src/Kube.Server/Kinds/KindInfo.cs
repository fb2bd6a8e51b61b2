using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>A printer column of a table.</summary>
internal sealed record ColumnInfo(string Name, string Type, string Format, string Description, long Priority, string JsonPath);

internal sealed record ScaleInfo(string SpecPath, string StatusPath, string? SelectorPath);

/// <summary>One served version of a kind. Immutable.</summary>
internal sealed record KindInfo
{
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    public string Singular { get; init; } = "";

    public string ListKind { get; init; } = "";

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public bool Namespaced { get; init; } = true;

    public bool HasStatus { get; init; }

    public ScaleInfo? Scale { get; init; }

    /// <summary>Answered, never stored: reviews.</summary>
    public bool IsReview { get; init; }

    public bool IsCustom { get; init; }

    /// <summary>
    /// Version stored objects are in; the same object is served in others by changing apiVersion alone (conversion None).
    /// </summary>
    public string StorageVersion { get; init; } = "";

    /// <summary>Where objects are stored: another collection only for events.k8s.io.</summary>
    public GroupResource Storage { get; init; }

    public required SchemaNode Schema { get; init; }

    public string Description { get; init; } = "";

    public IReadOnlyList<ColumnInfo> Columns { get; init; } = [];

    public IReadOnlyList<string> SelectableFields { get; init; } = [];

    public string? DeprecationWarning { get; init; }

    public GroupResource Resource => new(Group, Plural);

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public string StorageApiVersion => Group.Length == 0 ? StorageVersion : $"{Group}/{StorageVersion}";

    /// <summary>Whether stored objects need conversion of more than apiVersion.</summary>
    public bool IsEventsGroup => Group == "events.k8s.io";

    public string QualifiedKind => Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    public JsonObject Details(string? name) => Status.Details(name, Group, Plural);
}
