using System.Text.Json;

namespace Berth.Edge;

/// <summary>What is shown of a person; none of it decides anything.</summary>
internal sealed record PersonClaims(string? Email, bool EmailVerified, string? Name)
{
    /// <summary>Reads the standard claims of an ID token or of userinfo.</summary>
    public static PersonClaims Read(JsonElement claims)
    {
        var email = claims.Text("email", 254);
        return new PersonClaims(
            email is not null && IsAddress(email) ? email : null,
            claims.TryGetProperty("email_verified", out var verified) && verified.ValueKind == JsonValueKind.True,
            CleanName(claims.Text("name") ?? claims.Text("preferred_username") ?? claims.Text("nickname")));
    }

    /// <summary>Fills gaps from another source.</summary>
    public PersonClaims Or(PersonClaims other) => Email is null
        ? new PersonClaims(other.Email, other.EmailVerified, Name ?? other.Name)
        : this with { Name = Name ?? other.Name };

    private static bool IsAddress(string text) => text.Count(c => c == '@') == 1 && text[0] != '@' && text[^1] != '@'
        && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is ',' or ';' or '<' or '>' or '"' or '\\');

    private static string? CleanName(string? name)
    {
        var clean = new string([.. (name ?? "").Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(100)]).Trim();
        return clean.Length == 0 ? null : clean;
    }
}
