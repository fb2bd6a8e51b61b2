using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>
/// Tokens in forms: a second proof, beside the same-origin check, that a form came from our own page of this session. Stateless: an HMAC of
/// the session's id under a key derived from the cookie keys, so every replica accepts what any replica wrote, and a new sign-in makes old
/// forms void.
/// </summary>
internal sealed class CsrfTokens
{
    /// <summary>Name of the form field.</summary>
    public const string Field = "csrf";

    private readonly byte[][] _keys;

    public CsrfTokens(EdgeSettings settings)
    {
        _keys = [.. settings.CookieKeys.Select(k =>
            HKDF.DeriveKey(HashAlgorithmName.SHA256, [.. k], 32, info: "berth csrf v1"u8.ToArray()))];
    }

    /// <summary>The token for a caller's forms.</summary>
    public string For(Caller caller) => Make(_keys[0], caller);

    /// <summary>Whether a form's token is the caller's.</summary>
    public bool IsValid(Caller caller, string? token)
    {
        var given = Encoding.ASCII.GetBytes(token ?? "");
        return _keys.Any(k => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Make(k, caller)), given));
    }

    private static string Make(byte[] key, Caller caller) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(
            $"{caller.SessionId}\0{caller.Issuer}\0{caller.Subject}")));
}
