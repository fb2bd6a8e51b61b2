using System.Text.Json.Nodes;

namespace Kube.Server;

/// <summary>A refusal of the API, with what the wire's Status carries.</summary>
public sealed class ApiException : Exception
{
    /// <summary>Creates a refusal.</summary>
    /// <param name="code">HTTP status code.</param>
    /// <param name="reason">Machine-readable reason such as <c>NotFound</c>; empty when the API gives none.</param>
    /// <param name="message">Text for a person.</param>
    /// <param name="details">Status details (name, group, kind, causes, ...), or null.</param>
    public ApiException(int code, string reason, string message, JsonObject? details = null)
        : base(message)
    {
        Code = code;
        Reason = reason;
        Details = details;
    }

    /// <summary>HTTP status code, for example 409.</summary>
    public int Code { get; }

    /// <summary>Machine-readable reason, for example <c>AlreadyExists</c>.</summary>
    public string Reason { get; }

    /// <summary>Status details, or null.</summary>
    public JsonObject? Details { get; }

    /// <summary>A continue token for the Status' metadata (an expired page can be gone on with, inconsistently).</summary>
    internal string? ListContinue { get; init; }

    /// <summary>True for 404.</summary>
    public bool IsNotFound => Code == 404;

    /// <summary>True for 409 of a write that came too late.</summary>
    public bool IsConflict => Code == 409 && Reason == "Conflict";

    /// <summary>True for 409 of a name that is taken.</summary>
    public bool IsAlreadyExists => Code == 409 && Reason == "AlreadyExists";
}
