using System.Text.Json.Nodes;
using Kube.Server.Kinds;

namespace Kube.Server.Tables;

/// <summary>meta.k8s.io Table and PartialObjectMetadata. One per request.</summary>
internal sealed class TableBuilder
{
    private readonly KindInfo _kind;
    private readonly string _metaVersion;
    private readonly string _include;
    private readonly TimeProvider _time;
    private readonly List<(ColumnInfo Column, JsonPath? Path)> _columns;

    public TableBuilder(KindInfo kind, string metaVersion, string include, TimeProvider time)
    {
        _kind = kind;
        _metaVersion = metaVersion;
        _include = include;
        _time = time;
        _columns = kind.Columns.Select(c => (c, c.JsonPath.StartsWith('@') ? null : JsonPath.TryParse(c.JsonPath))).ToList();
    }

    public JsonObject Build(IEnumerable<JsonObject> objects, JsonObject listMetadata, bool withColumns = true)
    {
        var table = new JsonObject { ["kind"] = "Table", ["apiVersion"] = "meta.k8s.io/" + _metaVersion, ["metadata"] = listMetadata };
        table["columnDefinitions"] = withColumns ? Definitions() : new JsonArray();
        var rows = new JsonArray();
        foreach (var obj in objects)
        {
            rows.Add((JsonNode)Row(obj));
        }
        table["rows"] = rows;
        return table;
    }

    /// <summary>The Table of one object as a watch event or a get carries it.</summary>
    public JsonObject One(JsonObject obj, bool withColumns) =>
        Build([obj], new JsonObject { ["resourceVersion"] = Json.Text(obj, "metadata", "resourceVersion") }, withColumns);

    public static JsonObject Partial(JsonObject obj, string metaVersion) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/" + metaVersion,
        ["metadata"] = obj["metadata"]?.DeepClone(),
    };

    private JsonArray Definitions()
    {
        var list = new JsonArray { (JsonNode)Definition("Name", "string", "name", "Name must be unique within a namespace.", 0) };
        foreach (var (column, _) in _columns)
        {
            list.Add((JsonNode)Definition(column.Name, column.Type, column.Format, column.Description, column.Priority));
        }
        return list;
    }

    private static JsonObject Definition(string name, string type, string format, string description, long priority) => new()
    {
        ["name"] = name,
        ["type"] = type,
        ["format"] = format,
        ["description"] = description,
        ["priority"] = priority,
    };

    private JsonObject Row(JsonObject obj)
    {
        var cells = new JsonArray { (JsonNode?)Json.Text(obj, "metadata", "name") };
        foreach (var (column, path) in _columns)
        {
            cells.Add(Cell(obj, column, path));
        }
        JsonNode? shown = _include switch
        {
            "None" => null,
            "Object" => obj.DeepClone(),
            _ => Partial(obj, _metaVersion),
        };
        return new JsonObject { ["cells"] = cells, ["object"] = shown };
    }

    private JsonNode? Cell(JsonObject obj, ColumnInfo column, JsonPath? path)
    {
        if (path is null)
        {
            return ComputedCells.Get(column.JsonPath, obj, _time.GetUtcNow());
        }
        var values = path.Evaluate(obj).ToList();
        if (values.Count == 0 || values[0] is null)
        {
            return _kind.IsCustom ? null : "<none>";
        }
        var value = values[0]!;
        switch (column.Type)
        {
            case "integer" or "number":
                return Json.IsNumber(value) ? value.DeepClone() : null;
            case "boolean":
                return Json.IsBool(value) ? value.DeepClone() : null;
            case "date":
                return ComputedCells.Since(Json.AsString(value), _time.GetUtcNow());
            default:
                return values.Count > 1 && !_kind.IsCustom
                    ? string.Join(",", values.Select(Text))
                    : values.Count > 1 ? string.Join(" ", values.Select(Text)) : Text(value);
        }
    }

    private static string Text(JsonNode? value) => Json.AsString(value) ?? Json.ToText(value);
}
