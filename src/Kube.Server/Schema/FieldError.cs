using System.Text.Json.Nodes;

namespace Kube.Server.Schema;

/// <summary>One complaint about a field, worded as Kubernetes words it.</summary>
internal sealed record FieldError(string Reason, string Field, string Message)
{
    /// <summary>True where a built-in kind could not even be decoded, which is a bad request and not an invalid object.</summary>
    public bool Undecodable { get; init; }

    public static FieldError Required(string field, string detail = "") =>
        new("FieldValueRequired", field, detail.Length == 0 ? "Required value" : "Required value: " + detail);

    public static FieldError Invalid(string field, JsonNode? value, string detail) =>
        new("FieldValueInvalid", field, $"Invalid value: {Show(value)}: {detail}");

    public static FieldError InvalidText(string field, string shown, string detail) =>
        new("FieldValueInvalid", field, $"Invalid value: {shown}: {detail}");

    public static FieldError TypeInvalid(string field, string typeName, string detail) =>
        new("FieldValueTypeInvalid", field, $"Invalid value: \"{typeName}\": {detail}") { Undecodable = true };

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<string> supported) =>
        new("FieldValueNotSupported", field,
            $"Unsupported value: {Show(value)}: supported values: {string.Join(", ", supported.Select(s => $"\"{s}\""))}");

    public static FieldError Duplicate(string field, JsonNode? value) =>
        new("FieldValueDuplicate", field, $"Duplicate value: {Show(value)}");

    public static FieldError Forbidden(string field, string detail) => new("FieldValueForbidden", field, "Forbidden: " + detail);

    public static FieldError TooLong(string field, long max) =>
        new("FieldValueTooLong", field, $"Too long: may not be more than {max} bytes");

    public static FieldError TooMany(string field, long actual, long max) =>
        new("FieldValueTooMany", field, $"Too many: {actual}: must have at most {max} items");

    public static FieldError Plain(string reason, string field, string message) => new(reason, field, message);

    public override string ToString() => Field.Length == 0 ? Message : $"{Field}: {Message}";

    public static string Show(JsonNode? value) => Json.ToText(value);
}
