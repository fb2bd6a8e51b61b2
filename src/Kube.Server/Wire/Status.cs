using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server;

/// <summary>The API's errors with their exact wording (apimachinery, api/errors), and the Status object they travel in.</summary>
internal static class Status
{
    public static JsonObject Details(string? name, string group, string kind)
    {
        var details = new JsonObject();
        if (!string.IsNullOrEmpty(name))
        {
            details["name"] = name;
        }
        if (group.Length > 0)
        {
            details["group"] = group;
        }
        if (kind.Length > 0)
        {
            details["kind"] = kind;
        }
        return details;
    }

    public static JsonObject Failure(ApiException e)
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = e.Message
        };
        if (e.ListContinue is { } token)
        {
            status["metadata"] = new JsonObject { ["continue"] = token };
        }
        if (e.Reason.Length > 0)
        {
            status["reason"] = e.Reason;
        }
        if (e.Details is { Count: > 0 })
        {
            status["details"] = e.Details.DeepClone();
        }
        status["code"] = e.Code;
        return status;
    }

    public static JsonObject Success(JsonObject? details) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Success",
        ["details"] = details,
    };

    public static ApiException NotFound(GroupResource resource, string name) =>
        new(404, "NotFound", $"{resource} \"{name}\" not found", Details(name, resource.Group, resource.Plural));

    public static ApiException PathNotFound() => new(404, "NotFound", "the server could not find the requested resource", []);

    public static ApiException AlreadyExists(GroupResource resource, string name, bool generated = false)
    {
        var details = Details(name, resource.Group, resource.Plural);
        if (generated)
        {
            details["retryAfterSeconds"] = 1;
            return new ApiException(409, "AlreadyExists",
                $"{resource} \"{name}\" already exists, the server was not able to generate a unique name for the object", details);
        }
        return new ApiException(409, "AlreadyExists", $"{resource} \"{name}\" already exists", details);
    }

    public static ApiException Conflict(GroupResource resource, string name, string? why = null) =>
        new(409, "Conflict",
            $"Operation cannot be fulfilled on {resource} \"{name}\": {why
            ?? "the object has been modified; please apply your changes to the latest version and try again"}",
            Details(name, resource.Group, resource.Plural));

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        var details = Details(name, group, kind);
        var causes = new JsonArray();
        foreach (var error in errors)
        {
            causes.Add((JsonNode)new JsonObject { ["reason"] = error.Reason, ["message"] = error.Message, ["field"] = error.Field });
        }
        details["causes"] = causes;
        var text = errors.Count == 1 ? errors[0].ToString() : $"[{string.Join(", ", errors.Select(e => e.ToString()).Distinct())}]";
        var qualified = group.Length == 0 ? kind : $"{kind}.{group}";
        return new ApiException(422, "Invalid", $"{qualified} \"{name}\" is invalid: {text}", details);
    }

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Forbidden(GroupResource resource, string name, string why, JsonObject? details = null) =>
        new(403, "Forbidden", $"{resource} \"{name}\" is forbidden: {why}", details ?? Details(name, resource.Group, resource.Plural));

    public static ApiException MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    public static ApiException Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiException NotAcceptable(params string[] types) =>
        new(406, "NotAcceptable", "only the following media types are accepted: " + string.Join(", ", types));

    public static ApiException UnsupportedMediaType(string got, params string[] types) =>
        new(415, "UnsupportedMediaType",
            $"the body of the request was in an unknown format - accepted media types include: {string.Join(", ", types)}"
            + (got.Length > 0 ? $" (got {got})" : ""));

    public static ApiException TooLarge(long limit) => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {limit}", []);

    public static ApiException Expired(string message) => new(410, "Expired", message);

    public static ApiException TooLargeVersion(long wanted, long current) => new(
        504, "Timeout", $"Timeout: Too large resource version: {wanted}, current: {current}",
        new JsonObject
        {
            ["causes"] = new JsonArray(
                (JsonNode)new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
            ["retryAfterSeconds"] = 1,
        });
}
