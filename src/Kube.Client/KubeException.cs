using Kube.Client.Models;

namespace Kube.Client;

/// <summary>The API refused, or could not be reached; <see cref="Status"/> says why in the API's own terms.</summary>
public sealed class KubeException : Exception
{
    /// <summary>For an answer of the API.</summary>
    public KubeException(Status status)
        : base(status?.Message ?? "The Kubernetes API refused the request.") => Status = status ?? new Status();

    /// <summary>For a request that got no answer: <see cref="Status"/> has no code.</summary>
    public KubeException(string message, Exception? innerException)
        : base(message, innerException) => Status = new Status { Message = message, Reason = "Unreachable" };

    /// <summary>The API's own account of the failure.</summary>
    public Status Status { get; }

    /// <summary>HTTP status code; 0 when there was no answer.</summary>
    public int Code => Status.Code ?? 0;

    /// <summary>Time to wait before a retry, where the server said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>404: the object is not there, or its kind is not served.</summary>
    public bool IsNotFound => Code == 404;

    /// <summary>409 with reason Conflict: somebody else wrote first, or owns the field.</summary>
    public bool IsConflict => Code == 409 && Status.Reason != "AlreadyExists";

    /// <summary>409 with reason AlreadyExists.</summary>
    public bool IsAlreadyExists => Code == 409 && Status.Reason == "AlreadyExists";

    /// <summary>410: the version or the continue token is too old; list anew.</summary>
    public bool IsExpired => Code == 410 || Status.Reason is "Expired" or "Gone";

    /// <summary>No answer, 429 or 5xx: worth another try.</summary>
    public bool IsTransient => Code is 0 or 429 or >= 500;
}
