using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Crd;

/// <summary>Checks a CustomResourceDefinition and turns it into served kinds. Pure.</summary>
internal static partial class CrdCompiler
{
    public const string Finalizer = "customresourcecleanup.apiextensions.k8s.io";

    public static List<KindInfo> Compile(JsonObject crd, List<FieldError> errors)
    {
        var spec = crd["spec"] as JsonObject ?? [];
        var group = Json.Text(spec, "group") ?? "";
        var names = spec["names"] as JsonObject ?? [];
        var plural = Json.Text(names, "plural") ?? "";
        CheckNames(crd, spec, group, plural, errors);
        var kinds = new List<KindInfo>();
        var storage = Json.Objects(spec["versions"]).Where(v => Json.AsBool(v["storage"])).Select(v => Json.Text(v, "name") ?? "").ToList();
        if (storage.Count != 1)
        {
            errors.Add(FieldError.Invalid("spec.versions", spec["versions"]?.DeepClone(),
                "must have exactly one version marked as storage version"));
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var version in Json.Objects(spec["versions"]))
        {
            var path = $"spec.versions[{index++}]";
            var name = Json.Text(version, "name") ?? "";
            if (!DnsLabel().IsMatch(name))
            {
                errors.Add(FieldError.Invalid(path + ".name", name,
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
                    + "and end with an alphanumeric character"));
            }
            if (!seen.Add(name))
            {
                errors.Add(FieldError.Invalid(path + ".name", name, "must be unique"));
            }
            var kind = CompileVersion(spec, names, group, plural, version, name, storage.FirstOrDefault() ?? name, path, errors);
            if (Json.AsBool(version["served"]))
            {
                kinds.Add(kind);
            }
        }
        return kinds;
    }

    private static KindInfo CompileVersion(
        JsonObject spec, JsonObject names, string group, string plural, JsonObject version, string name, string storage, string path,
        List<FieldError> errors)
    {
        var raw = Json.At(version, "schema", "openAPIV3Schema") as JsonObject;
        var schema = SchemaNode.Anything;
        if (raw is null)
        {
            errors.Add(FieldError.Required(path + ".schema.openAPIV3Schema", "schemas are required"));
        }
        else
        {
            var parser = new SchemaParser();
            schema = parser.Parse(raw, path + ".schema.openAPIV3Schema");
            errors.AddRange(parser.Errors);
        }
        ScaleInfo? scale = null;
        if (Json.At(version, "subresources", "scale") is JsonObject scaleSpec)
        {
            scale = new ScaleInfo(Json.Text(scaleSpec, "specReplicasPath") ?? "", Json.Text(scaleSpec, "statusReplicasPath") ?? "",
                Json.Text(scaleSpec, "labelSelectorPath"));
            if (!scale.SpecPath.StartsWith(".spec.", StringComparison.Ordinal))
            {
                errors.Add(FieldError.Invalid(path + ".subresources.scale.specReplicasPath", scale.SpecPath,
                    "should be a json path under .spec"));
            }
        }
        var columns = Json.Objects(version["additionalPrinterColumns"]).Select(c => new ColumnInfo(
            Json.Text(c, "name") ?? "", Json.Text(c, "type") ?? "string", Json.Text(c, "format") ?? "", Json.Text(c, "description") ?? "",
            Json.AsLong(c["priority"]) ?? 0, Json.Text(c, "jsonPath") ?? "")).ToList();
        var at = 0;
        foreach (var column in columns)
        {
            var columnPath = $"{path}.additionalPrinterColumns[{at++}]";
            if (column.Type is not ("integer" or "number" or "string" or "boolean" or "date"))
            {
                errors.Add(FieldError.NotSupported(columnPath + ".type", column.Type, ["boolean", "date", "integer", "number", "string"]));
            }
            if (Tables.JsonPath.TryParse(column.JsonPath) is null)
            {
                errors.Add(FieldError.Invalid(columnPath + ".jsonPath", column.JsonPath, "is not a valid simple json path"));
            }
        }
        if (columns.Count == 0)
        {
            columns.Add(new ColumnInfo("Age", "date", "", "Time since creation", 0, ".metadata.creationTimestamp"));
        }
        var kindName = Json.Text(names, "kind") ?? "";
        return new KindInfo
        {
            Group = group,
            Version = name,
            StorageVersion = storage,
            Kind = kindName,
            Plural = plural,
            Singular = Json.Text(names, "singular") is { Length: > 0 } singular ? singular : kindName.ToLowerInvariant(),
            ListKind = Json.Text(names, "listKind") is { Length: > 0 } listKind ? listKind : kindName + "List",
            ShortNames = Json.StringItems(names["shortNames"]).ToList(),
            Categories = Json.StringItems(names["categories"]).ToList(),
            Namespaced = Json.Text(spec, "scope") != "Cluster",
            HasStatus = Json.At(version, "subresources", "status") is JsonObject,
            Scale = scale,
            IsCustom = true,
            Storage = new GroupResource(group, plural),
            Schema = schema,
            Description = Json.Text(raw, "description") ?? "",
            Columns = columns,
            SelectableFields = Json.Objects(version["selectableFields"]).Select(f => Json.Text(f, "jsonPath") ?? "").ToList(),
            DeprecationWarning = Json.AsBool(version["deprecated"])
                ? Json.Text(version, "deprecationWarning") ?? $"{group}/{name} {kindName} is deprecated"
                : null,
        };
    }

    private static void CheckNames(JsonObject crd, JsonObject spec, string group, string plural, List<FieldError> errors)
    {
        var name = Json.Text(crd, "metadata", "name") ?? "";
        if (name != $"{plural}.{group}")
        {
            errors.Add(FieldError.Invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
        }
        if (!group.Contains('.', StringComparison.Ordinal))
        {
            errors.Add(FieldError.Invalid("spec.group", group, "should be a domain with at least one dot"));
        }
        foreach (var key in (string[])["plural", "singular"])
        {
            if (Json.Text(spec, "names", key) is { Length: > 0 } value && !DnsLabel().IsMatch(value))
            {
                errors.Add(FieldError.Invalid("spec.names." + key, value,
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
                    + "and end with an alphanumeric character"));
            }
        }
        if (Json.AsBool(spec["preserveUnknownFields"]))
        {
            errors.Add(FieldError.Invalid("spec.preserveUnknownFields", true, "must be false in order to use defaults in the schema"));
        }
        if (Json.Text(spec, "conversion", "strategy") is { } strategy && strategy != "None")
        {
            errors.Add(FieldError.NotSupported("spec.conversion.strategy", strategy, ["None"]));
        }
    }

    /// <summary>A definition keeps its clean-up finalizer until its instances are gone.</summary>
    public static void SetDefaultsOnCreate(JsonObject crd, JsonObject? old)
    {
        if (old is null)
        {
            var metadata = Json.Ensure(crd, "metadata");
            if (!Json.StringItems(metadata["finalizers"]).Contains(Finalizer))
            {
                metadata["finalizers"] = Json.Strings(Json.StringItems(metadata["finalizers"]).Append(Finalizer));
            }
        }
    }

    /// <summary>Fills in names and sets the status: names accepted or not, and established.</summary>
    public static void Establish(JsonObject crd, KindTable table, DateTimeOffset now)
    {
        var names = Json.Ensure(crd, "spec", "names");
        var kind = Json.Text(names, "kind") ?? "";
        names["singular"] = Json.Text(names, "singular") is { Length: > 0 } singular ? singular : kind.ToLowerInvariant();
        names["listKind"] = Json.Text(names, "listKind") is { Length: > 0 } listKind ? listKind : kind + "List";
        Json.Ensure(crd, "spec")["conversion"] ??= new JsonObject { ["strategy"] = "None" };
        var group = Json.Text(crd, "spec", "group") ?? "";
        var plural = Json.Text(names, "plural") ?? "";
        var others = table.Kinds.Where(k => k.Group == group && k.Plural != plural).ToList();
        var mine = Json.StringItems(names["shortNames"]).Append(plural).Append(Json.Text(names, "singular")!).ToList();
        var clash = mine.FirstOrDefault(n => others.Any(o => o.Plural == n || o.Singular == n || o.ShortNames.Contains(n)));
        var kindClash = others.Any(o => o.Kind == kind);
        var accepted = clash is null && !kindClash;
        var status = Json.Ensure(crd, "status");
        status["acceptedNames"] = accepted ? names.DeepClone() : new JsonObject { ["plural"] = "", ["kind"] = "" };
        var stored = Json.StringItems(status["storedVersions"]).ToList();
        var storage = Json.Objects(Json.At(crd, "spec", "versions")).FirstOrDefault(v => Json.AsBool(v["storage"]));
        if (Json.Text(storage, "name") is { } storageName && !stored.Contains(storageName))
        {
            stored.Add(storageName);
        }
        status["storedVersions"] = Json.Strings(stored);
        var message = clash is not null ? $"\"{clash}\" is already in use" : kindClash ? $"\"{kind}\" is already in use"
            : "no conflicts found";
        SetCondition(status, "NamesAccepted", accepted, accepted ? "NoConflicts" : clash is not null ? "PluralConflict" : "KindConflict",
            message, now);
        SetCondition(status, "Established", accepted, accepted ? "InitialNamesAccepted" : "NotAccepted",
            accepted ? "the initial names have been accepted" : "not all names are accepted", now);
    }

    /// <summary>A version in which objects are stored cannot be taken away: nobody could read them any more.</summary>
    public static void CheckStoredVersions(JsonObject crd, List<FieldError> errors)
    {
        var versions = Json.Objects(Json.At(crd, "spec", "versions")).Select(v => Json.Text(v, "name")).ToHashSet(StringComparer.Ordinal);
        var index = 0;
        foreach (var stored in Json.StringItems(Json.At(crd, "status", "storedVersions")))
        {
            if (!versions.Contains(stored))
            {
                errors.Add(FieldError.Invalid($"status.storedVersions[{index}]", stored, "must appear in spec.versions"));
            }
            index++;
        }
    }

    public static bool IsEstablished(JsonObject crd) =>
        Json.Objects(Json.At(crd, "status", "conditions"))
            .Any(c => Json.Text(c, "type") == "Established" && Json.Text(c, "status") == "True");

    public static void SetCondition(JsonObject status, string type, bool value, string reason, string message, DateTimeOffset now)
    {
        if (status["conditions"] is not JsonArray conditions)
        {
            status["conditions"] = conditions = [];
        }
        var text = value ? "True" : "False";
        var present = conditions.OfType<JsonObject>().FirstOrDefault(c => Json.Text(c, "type") == type);
        if (present is null)
        {
            conditions.Add((JsonNode)(present = new JsonObject { ["type"] = type }));
        }
        if (Json.Text(present, "status") != text)
        {
            present["lastTransitionTime"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
        present["status"] = text;
        present["reason"] = reason;
        present["message"] = message;
    }

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsLabel();
}
