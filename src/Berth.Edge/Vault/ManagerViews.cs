using System.Text.Json.Serialization;

namespace Berth.Edge;

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
[JsonSerializable(typeof(ValidTokenView))]
[JsonSerializable(typeof(AccessTokenView))]
[JsonSerializable(typeof(ConsentView))]
[JsonSerializable(typeof(StoredTokenView))]
[JsonSerializable(typeof(RevocationView))]
[JsonSerializable(typeof(NewTokenBody))]
internal sealed partial class ManagerJson : JsonSerializerContext;
