using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>
/// One attempt to sign in, from /login to the callback. Lives in a cookie of its own, so that several tabs do not disturb each other.
/// </summary>
/// <param name="State">256-bit random id: the state parameter.</param>
/// <param name="Nonce">Expected in the ID token.</param>
/// <param name="Verifier">PKCE code verifier (RFC 7636).</param>
/// <param name="Provider">Key of the provider.</param>
/// <param name="ReturnTo">Clean return target.</param>
/// <param name="StartedAt">Time of /login, whole seconds.</param>
internal sealed record SignInFlow(string State, string Nonce, string Verifier, string Provider, string ReturnTo, DateTimeOffset StartedAt)
{
    /// <summary>10 minutes: a person with a second factor in another room; after it the flow's cookie is worth nothing.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>Flows that may be open at once in one browser; a sixth takes the place of the oldest.</summary>
    public const int MaximumConcurrent = 5;

    // 16 hexadecimal digits of the state's hash name the cookie: the name tells nothing of the state, and tabs do not collide.
    private const int SuffixLength = 16;

    /// <summary>A new flow.</summary>
    public static SignInFlow Start(string provider, string returnTo, DateTimeOffset now) =>
        new(Random(), Random(), Random(), provider, returnTo, DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()));

    /// <summary>S256 challenge of the verifier.</summary>
    public string Challenge => StrictBase64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Name of the cookie of a state.</summary>
    public static string CookieName(CookieNames names, string state) =>
        names.FlowPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(state)))[..SuffixLength];

    /// <summary>Whether a text can be a state that we made.</summary>
    public static bool IsState(string? state) => state is { Length: 43 } && StrictBase64Url.Decode(state) is not null;

    /// <summary>Binary form.</summary>
    public byte[] Write() =>
        new CompactWriter().Text(State).Text(Nonce).Text(Verifier).Text(Provider).Text(ReturnTo).Time(StartedAt).ToArray();

    /// <summary>Reads the binary form; null when it is none.</summary>
    public static SignInFlow? Read(byte[] bytes)
    {
        var reader = new CompactReader(bytes);
        var (state, nonce, verifier) = (reader.Text(), reader.Text(), reader.Text());
        var (provider, returnTo, started) = (reader.Text(), reader.Text(), reader.Time());
        return reader.IsComplete && state is not null && nonce is not null && verifier is not null && provider is not null
            && returnTo is not null
            ? new SignInFlow(state, nonce, verifier, provider, returnTo, started)
            : null;
    }

    private static string Random() => StrictBase64Url.Encode(RandomNumberGenerator.GetBytes(32));
}
