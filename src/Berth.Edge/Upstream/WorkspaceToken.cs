using System.Text.Json;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// What a workspace's own token says of itself: a service account token of Kubernetes, bound to a pod. Nothing of it is believed before
/// the API server has been asked.
/// </summary>
/// <param name="Namespace">Namespace of the pod.</param>
/// <param name="PodName">Name of the pod.</param>
/// <param name="PodUid">The pod itself: another one of the same name has another.</param>
/// <param name="ExpiresAt">exp.</param>
internal sealed record WorkspaceToken(string Namespace, string PodName, string PodUid, DateTimeOffset ExpiresAt)
{
    /// <summary>Longest life that is accepted, from the issue of a token to its end.</summary>
    public static readonly TimeSpan MaximumLifetime = TimeSpan.FromHours(1);

    /// <summary>
    /// Reads a token; null when it is not one for this edge: another form, another audience or more than one, no pod, too long a life.
    /// </summary>
    public static WorkspaceToken? Read(string token, DateTimeOffset now)
    {
        var parts = token.Split('.');
        if (token.Length > JwsVerifier.MaximumLength || parts.Length != 3 || StrictBase64Url.Decode(parts[1]) is not { } payload
            || JwtClaims.Read(payload, now, out var claims) != TokenError.None || claims!.Audiences is not [ApiAccess.Audience]
            || claims.IssuedAt is not { } issued || claims.ExpiresAt - issued > MaximumLifetime)
        {
            return null;
        }

        return claims.Payload.TryGetProperty("kubernetes.io", out var bound) && bound.ValueKind == JsonValueKind.Object
            && bound.Text("namespace", 63) is { } ns
            && bound.TryGetProperty("pod", out var pod) && pod.ValueKind == JsonValueKind.Object
            && pod.Text("name", 253) is { } name && pod.Text("uid", 64) is { } uid
            ? new WorkspaceToken(ns, name, uid, claims.ExpiresAt)
            : null;
    }

    /// <summary>Whether a token wants to be one for this edge, so that its refusal can say what it says; decides nothing.</summary>
    public static bool Claims(string token)
    {
        var parts = token.Split('.');
        return parts.Length == 3 && token.Length <= JwsVerifier.MaximumLength && StrictBase64Url.Decode(parts[1]) is { } payload
            && StrictJson.ParseObject(payload) is { } root && root.Texts("aud").Contains(ApiAccess.Audience)
            && root.TryGetProperty("kubernetes.io", out _);
    }
}
