using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>The API's refusals, with code and reason as a real one gives them.</summary>
internal static class ApiErrors
{
    internal static KubeException NotFound(ResourceDescriptor kind, string name) => Of(404, "NotFound", $"{kind.Plural} \"{name}\" not found");

    internal static KubeException AlreadyExists(ResourceDescriptor kind, string name) =>
        Of(409, "AlreadyExists", $"{kind.Plural} \"{name}\" already exists");

    internal static KubeException Conflict(ResourceDescriptor kind, string name) =>
        Of(409, "Conflict", $"Operation cannot be fulfilled on {kind.Plural} \"{name}\": the object has been modified");

    internal static KubeException Invalid(ResourceDescriptor kind, string name, string why) =>
        Of(422, "Invalid", $"{kind.Kind} \"{name}\" is invalid: {why}");

    internal static KubeException Forbidden(string why) => Of(403, "Forbidden", why);

    internal static KubeException Expired() => Of(410, "Expired", "too old resource version");

    internal static KubeException Internal(string why = "a fault of the simulation") => Of(500, "InternalError", why);

    internal static KubeException TooMany() => Of(429, "TooManyRequests", "a fault of the simulation");

    internal static KubeException NoAnswer() => new("no answer: a fault of the simulation", null);

    private static KubeException Of(int code, string reason, string message) =>
        new(new Status { Code = code, Reason = reason, Message = message, Result = "Failure" });
}
