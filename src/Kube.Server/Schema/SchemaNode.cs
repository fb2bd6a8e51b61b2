using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kube.Server.Cel;

namespace Kube.Server.Schema;

/// <summary>One node of a structural schema, of a CRD or of a built-in kind. Not changed after it is built.</summary>
internal sealed class SchemaNode
{
    public string Type { get; set; } = "";

    public string Format { get; set; } = "";

    public string Description { get; set; } = "";

    /// <summary>
    /// Name of the shared definition this node stands for (built-in kinds only): OpenAPI refers to it instead of repeating it.
    /// </summary>
    public string TypeName { get; set; } = "";

    public bool Nullable { get; set; }

    public Dictionary<string, SchemaNode> Properties { get; } = new(StringComparer.Ordinal);

    public SchemaNode? AdditionalProperties { get; set; }

    public SchemaNode? Items { get; set; }

    public List<string> Required { get; } = [];

    public JsonArray? Enum { get; set; }

    public JsonNode? Default { get; set; }

    public bool HasDefault { get; set; }

    public double? Minimum { get; set; }

    public double? Maximum { get; set; }

    public bool ExclusiveMinimum { get; set; }

    public bool ExclusiveMaximum { get; set; }

    public double? MultipleOf { get; set; }

    public long? MinLength { get; set; }

    public long? MaxLength { get; set; }

    public string? PatternText { get; set; }

    public Regex? Pattern { get; set; }

    public long? MinItems { get; set; }

    public long? MaxItems { get; set; }

    public bool UniqueItems { get; set; }

    public long? MinProperties { get; set; }

    public long? MaxProperties { get; set; }

    public List<SchemaNode> AllOf { get; } = [];

    public List<SchemaNode> AnyOf { get; } = [];

    public List<SchemaNode> OneOf { get; } = [];

    public SchemaNode? Not { get; set; }

    public bool PreserveUnknownFields { get; set; }

    public bool EmbeddedResource { get; set; }

    public bool IntOrString { get; set; }

    /// <summary>atomic, set or map; atomic when the schema does not say.</summary>
    public string ListType { get; set; } = "atomic";

    public List<string> ListMapKeys { get; } = [];

    /// <summary>True when the object is owned as a whole in server-side apply.</summary>
    public bool AtomicMap { get; set; }

    /// <summary>
    /// Merge key of a strategic merge patch; null replaces the list (or merges it as a set of scalars when <see cref="PatchMerge"/> says
    /// so).
    /// </summary>
    public string? PatchMergeKey { get; set; }

    public bool PatchMerge { get; set; }

    public List<CelRule> Validations { get; } = [];

    /// <summary>True when this node or one below has a default: saves walking the rest.</summary>
    public bool AnyDefault { get; set; }

    /// <summary>True when this node or one below is a quantity (built-in kinds only).</summary>
    public bool AnyQuantity { get; set; }

    /// <summary>True when this node or one below has a rule.</summary>
    public bool AnyValidation { get; set; }

    /// <summary>The schema as the CRD's author wrote it, for OpenAPI.</summary>
    public JsonObject? Raw { get; set; }

    public bool IsObject => Type == "object";

    public SchemaNode? Child(string key) => Properties.GetValueOrDefault(key) ?? AdditionalProperties;

    /// <summary>Anything goes: for fields nothing is known of.</summary>
    public static readonly SchemaNode Anything = new() { PreserveUnknownFields = true };
}
