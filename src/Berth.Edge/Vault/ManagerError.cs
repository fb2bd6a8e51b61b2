using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Edge;

/// <summary>A call of the token manager that ends otherwise than asked for; the body is <c>{error, code, details, operation}</c>.</summary>
internal sealed class ManagerException(int status, string code, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>Stable word.</summary>
    public string Code { get; } = code;

    /// <summary>When to try again.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>More, by name: what a program can act on.</summary>
    public ImmutableSortedDictionary<string, string> Details { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>A parameter or field that cannot be used.</summary>
    public static ManagerException Bad(string field, string text) => new(400, "bad_parameter", $"{field} {text}")
    {
        Details = ImmutableSortedDictionary<string, string>.Empty.Add("field", field),
    };
}

/// <summary>Body of an error.</summary>
/// <param name="Error">What is wrong and what to do, in words.</param>
/// <param name="Code">Stable word.</param>
/// <param name="Details">More, by name; empty when there is none.</param>
/// <param name="Operation">The operation, as in the OpenAPI document.</param>
internal sealed record ManagerErrorView(string Error, string Code, IReadOnlyDictionary<string, string> Details, string Operation);

/// <summary>Answer of validate-token.</summary>
internal sealed record ValidTokenView
{
    public required bool Valid { get; init; }

    /// <summary><c>bearer</c> or <c>session</c>.</summary>
    public required string AuthenticatedBy { get; init; }

    public required string Issuer { get; init; }

    public required string Subject { get; init; }

    public IReadOnlyList<string>? Scopes { get; init; }

    public string? TokenId { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Seconds.</summary>
    public required long ExpiresIn { get; init; }
}

/// <summary>Answer of access-token.</summary>
internal sealed record AccessTokenView(string AccessToken, string TokenType, long ExpiresIn, string Scope, Guid PersistentTokenId);

/// <summary>Answer of offline-token.</summary>
internal sealed record ConsentView(string ConsentUrl, string Connection, long ExpiresIn);

/// <summary>A stored token.</summary>
internal sealed record StoredTokenView(Guid PersistentTokenId, string Connection, string Scope, string Purpose, DateTimeOffset CreatedAt);

/// <summary>Answer of a revocation.</summary>
internal sealed record RevocationView(
    Guid PersistentTokenId, bool DryRun, bool Revoked, int SharedTokens, int SharedSessions, string Upstream);

/// <summary>Body of a new token.</summary>
internal sealed record NewTokenBody
{
    /// <summary>Connection; may be left out where there is one only.</summary>
    public string? Connection { get; init; }

    /// <summary>A refresh token of the connection's client; without it, consent is asked for.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>What it is for.</summary>
    public string? Purpose { get; init; }
}

/// <summary>Source-generated JSON of the token manager: snake_case, as OAuth writes it.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ManagerErrorView))]
[JsonSerializable(typeof(ValidTokenView))]
[JsonSerializable(typeof(AccessTokenView))]
[JsonSerializable(typeof(ConsentView))]
[JsonSerializable(typeof(StoredTokenView))]
[JsonSerializable(typeof(RevocationView))]
[JsonSerializable(typeof(NewTokenBody))]
internal sealed partial class ManagerJson : JsonSerializerContext;
