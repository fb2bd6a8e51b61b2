using System.Collections.Immutable;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>What a provider has to say about how an administrator signed in, before they are one.</summary>
/// <param name="Acr">Authentication context classes, one of which the claim acr has to be; empty: not asked.</param>
/// <param name="Amr">Authentication methods that the claim amr has to contain, all of them; empty: not asked.</param>
/// <param name="MaxAge">How long ago the person may have authenticated (auth_time); null: not asked.</param>
internal sealed record StepUpSettings(ImmutableArray<string> Acr, ImmutableArray<string> Amr, TimeSpan? MaxAge)
{
    /// <summary>
    /// When the person authenticated in the way that is asked for; null when the claims do not say that they did.
    /// </summary>
    /// <remarks>
    /// Without auth_time it is iat, except where an age is asked for: then auth_time is required (OpenID Connect Core 2).
    /// </remarks>
    public DateTimeOffset? ProvenAt(JsonElement claims)
    {
        if ((Acr.Length > 0 && !(claims.Text("acr") is { } acr && Acr.Contains(acr)))
            || (Amr.Length > 0 && !Amr.All(claims.Texts("amr").Contains)))
        {
            return null;
        }

        if (!JwtClaims.Date(claims, "auth_time", out var authenticated) || !JwtClaims.Date(claims, "iat", out var issued))
        {
            return null;
        }

        var at = MaxAge is null ? authenticated ?? issued : authenticated;
        return at is { } time ? DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds()) : null;
    }

    /// <summary>Whether a proof of that time counts yet.</summary>
    public bool Holds(DateTimeOffset? provenAt, DateTimeOffset now) =>
        provenAt is { } at && (MaxAge is not { } age || now < at + age + JwtClaims.Skew);

    /// <summary>Challenge for a bearer token that lacks it (RFC 9470, 3).</summary>
    public string Challenge => "Bearer error=\"insufficient_user_authentication\", "
        + "error_description=\"An administrator has to authenticate more strongly, or again\""
        + (Acr.Length > 0 ? $", acr_values=\"{string.Join(' ', Acr)}\"" : "")
        + (MaxAge is { } age ? $", max_age=\"{(long)age.TotalSeconds}\"" : "");

    /// <summary>The claims parameter (OpenID Connect Core 5.5) that makes acr essential; null where there is none to ask for.</summary>
    public string? ClaimsParameter => Acr.Length == 0 ? null : JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["id_token"] = new Dictionary<string, object>
        {
            ["acr"] = new Dictionary<string, object> { ["essential"] = true, ["values"] = Acr },
        },
    });
}
