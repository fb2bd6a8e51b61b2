using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>Defaults and rules of volumes that are made of the pod's own fields.</summary>
internal static partial class DownwardVolumes
{
    private static readonly string[] Fields =
        ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

    public static void Default(JsonObject volume)
    {
        foreach (var item in Items(volume))
        {
            if (item["fieldRef"] is JsonObject field)
            {
                field["apiVersion"] ??= "v1";
            }
        }
    }

    public static void Validate(JsonObject volume, string path, List<FieldError> errors)
    {
        foreach (var item in Items(volume))
        {
            var file = Json.Text(item, "path") ?? "";
            if (file.Length == 0)
            {
                errors.Add(FieldError.Required($"{path}.path"));
            }
            else if (file.StartsWith('/'))
            {
                errors.Add(FieldError.Invalid($"{path}.path", item["path"], "must be a relative path"));
            }
            else if (file.Split('/').Contains(".."))
            {
                errors.Add(FieldError.Invalid($"{path}.path", item["path"], "must not contain '..'"));
            }

            switch (item["fieldRef"], item["resourceFieldRef"])
            {
                case (null, null):
                    errors.Add(FieldError.Required(path, "one of fieldRef and resourceFieldRef is required"));
                    break;
                case (not null, not null):
                    errors.Add(FieldError.Invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
                    break;
                case (JsonObject field, _):
                    CheckField(Json.Text(field, "fieldPath") ?? "", $"{path}.fieldRef", errors);
                    break;
            }
        }
    }

    private static void CheckField(string field, string path, List<FieldError> errors)
    {
        if (field.Length == 0)
        {
            errors.Add(FieldError.Required($"{path}.fieldPath"));
            return;
        }

        var subscripted = Subscripted().Match(field);
        if (subscripted.Success)
        {
            if (!QualifiedName().IsMatch(subscripted.Groups[1].Value))
            {
                errors.Add(FieldError.Invalid(path, subscripted.Groups[1].Value, "name part must consist of alphanumeric characters, '-', "
                    + "'_' or '.', and must start and end with an alphanumeric character"));
            }
        }
        else if (!Fields.Contains(field))
        {
            errors.Add(FieldError.NotSupported($"{path}.fieldPath", field, Fields));
        }
    }

    private static IEnumerable<JsonObject> Items(JsonObject volume) => Json.Objects((volume["downwardAPI"] as JsonObject)?["items"]);

    [GeneratedRegex(@"\Ametadata\.(?:annotations|labels)\['(.*)'\]\z", RegexOptions.Singleline)]
    private static partial Regex Subscripted();

    [GeneratedRegex(@"\A(?:[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex QualifiedName();
}
