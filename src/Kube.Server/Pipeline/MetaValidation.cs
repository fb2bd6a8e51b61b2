using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Pipeline;

/// <summary>Rules of metadata that hold for every kind.</summary>
internal static partial class MetaValidation
{
    public const string SubdomainMessage =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    public const string LabelMessage =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private const string Label1035Message =
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with "
        + "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
    private const string KeyMessage =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
        + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    private const string ValueMessage =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    private const int MaxAnnotations = 256 * 1024;

    public static void Validate(JsonObject obj, KindInfo kind, List<FieldError> errors)
    {
        var metadata = obj["metadata"] as JsonObject ?? [];
        ValidateName(Json.Text(metadata, "name") ?? "", kind, errors);
        foreach (var (key, value) in metadata["labels"] as JsonObject ?? [])
        {
            CheckKey("metadata.labels", key, errors);
            var text = Json.AsString(value);
            if (text is null)
            {
                errors.Add(FieldError.Invalid("metadata.labels", value?.DeepClone(), $"label {key} must be a string"));
            }
            else if (text.Length > 63)
            {
                errors.Add(FieldError.Invalid("metadata.labels", text, "must be no more than 63 bytes"));
            }
            else if (!ValueShape().IsMatch(text))
            {
                errors.Add(FieldError.Invalid("metadata.labels", text, ValueMessage));
            }
        }
        long size = 0;
        foreach (var (key, value) in metadata["annotations"] as JsonObject ?? [])
        {
            CheckKey("metadata.annotations", key, errors);
            size += key.Length + (Json.AsString(value)?.Length ?? 0);
            if (!Json.IsString(value))
            {
                errors.Add(FieldError.Invalid("metadata.annotations", value?.DeepClone(), $"annotation {key} must be a string"));
            }
        }
        if (size > MaxAnnotations)
        {
            errors.Add(FieldError.TooLong("metadata.annotations", MaxAnnotations));
        }
        ValidateOwners(metadata, errors);
        var index = 0;
        foreach (var finalizer in Json.StringItems(metadata["finalizers"]))
        {
            if (!KeyShape().IsMatch(finalizer))
            {
                errors.Add(FieldError.Invalid($"metadata.finalizers[{index}]", finalizer, KeyMessage));
            }
            index++;
        }
    }

    /// <summary>A type error in metadata is a bad request: nothing could be decoded.</summary>
    public static void RequireShape(JsonObject obj)
    {
        if (obj["metadata"] is null)
        {
            obj["metadata"] = new JsonObject();
            return;
        }
        if (obj["metadata"] is not JsonObject metadata)
        {
            throw Status.BadRequest("metadata must be an object");
        }
        foreach (var key in (string[])["name", "namespace", "uid", "resourceVersion", "generateName", "creationTimestamp",
            "deletionTimestamp"])
        {
            if (metadata.TryGetPropertyValue(key, out var value))
            {
                if (value is null)
                {
                    metadata.Remove(key);
                }
                else if (!Json.IsString(value))
                {
                    throw Status.BadRequest($"unrecognized type: metadata.{key} must be a string");
                }
            }
        }
        foreach (var key in (string[])["labels", "annotations"])
        {
            if (metadata.TryGetPropertyValue(key, out var value) && value is not JsonObject)
            {
                if (value is not null)
                {
                    throw Status.BadRequest($"unrecognized type: metadata.{key} must be an object with string values");
                }
                metadata.Remove(key);
            }
        }
        foreach (var key in (string[])["finalizers", "ownerReferences", "managedFields"])
        {
            if (metadata.TryGetPropertyValue(key, out var value) && value is not JsonArray)
            {
                if (value is not null)
                {
                    throw Status.BadRequest($"unrecognized type: metadata.{key} must be an array");
                }
                metadata.Remove(key);
            }
        }
    }

    public static bool IsDnsLabel(string name) => name.Length <= 63 && LabelShape().IsMatch(name);

    private static void ValidateName(string name, KindInfo kind, List<FieldError> errors)
    {
        if (name.Length == 0)
        {
            errors.Add(FieldError.Required("metadata.name", "name or generateName is required"));
            return;
        }
        if (kind.Group == "rbac.authorization.k8s.io")
        {
            if (name is "." or ".." || name.Contains('/', StringComparison.Ordinal) || name.Contains('%', StringComparison.Ordinal))
            {
                errors.Add(FieldError.Invalid("metadata.name", name, "may not be '.', '..' or contain '/' or '%'"));
            }
            return;
        }
        var (limit, shape, message) = (kind.Group, kind.Kind) switch
        {
            ("", "Namespace") => (63, LabelShape(), LabelMessage),
            ("", "Service") => (63, Label1035Shape(), Label1035Message),
            _ => (253, SubdomainShape(), SubdomainMessage),
        };
        if (name.Length > limit)
        {
            errors.Add(FieldError.Invalid("metadata.name", name, $"must be no more than {limit} characters"));
        }
        if (!shape.IsMatch(name))
        {
            errors.Add(FieldError.Invalid("metadata.name", name, message));
        }
    }

    private static void ValidateOwners(JsonObject metadata, List<FieldError> errors)
    {
        var controllers = 0;
        var index = 0;
        foreach (var owner in Json.Objects(metadata["ownerReferences"]))
        {
            foreach (var key in (string[])["apiVersion", "kind", "name", "uid"])
            {
                if (string.IsNullOrEmpty(Json.Text(owner, key)))
                {
                    errors.Add(FieldError.Invalid($"metadata.ownerReferences[{index}].{key}", "",
                        key == "apiVersion" ? "version must not be empty" : $"{key} must not be empty"));
                }
            }
            controllers += Json.AsBool(owner["controller"]) ? 1 : 0;
            index++;
        }
        if (controllers > 1)
        {
            errors.Add(FieldError.Invalid("metadata.ownerReferences", metadata["ownerReferences"]?.DeepClone(),
                "Only one reference can have Controller set to true."));
        }
    }

    private static void CheckKey(string field, string key, List<FieldError> errors)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var (prefix, name) = slash < 0 ? (null, key) : (key[..slash], key[(slash + 1)..]);
        if (name.Length > 63)
        {
            errors.Add(FieldError.Invalid(field, key, "name part must be no more than 63 bytes"));
        }
        else if (!NamePartShape().IsMatch(name)
            || (prefix is not null && (prefix.Length > 253 || !SubdomainShape().IsMatch(prefix.ToLowerInvariant()))))
        {
            errors.Add(FieldError.Invalid(field, key, KeyMessage));
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex SubdomainShape();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelShape();

    [GeneratedRegex(@"^[a-z]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label1035Shape();

    [GeneratedRegex(@"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex ValueShape();

    [GeneratedRegex(@"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePartShape();

    [GeneratedRegex(@"^([A-Za-z0-9.-]+/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex KeyShape();
}
