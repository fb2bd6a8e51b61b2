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
/// <param name="IsStepUp">Whether it is to make an administrator: see <see cref="StepUpSettings"/>.</param>
internal sealed record SignInFlow(
    string State, string Nonce, string Verifier, string Provider, string ReturnTo, DateTimeOffset StartedAt, bool IsStepUp = false)
{
    /// <summary>10 minutes: a person with a second factor in another room; after it the flow's cookie is worth nothing.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>Flows that may be open at once in one browser; a sixth takes the place of the oldest.</summary>
    public const int MaximumConcurrent = 5;

    private const string Again = ".2";
    private const string StepUpMark = "step-up";
    private const int StateLength = 43;

    // 16 hexadecimal digits of the state's hash name the cookie: the name tells nothing of the state, and tabs do not collide.
    private const int SuffixLength = 16;

    /// <summary>A new flow.</summary>
    /// <param name="provider">Key of the provider.</param>
    /// <param name="returnTo">Clean return target.</param>
    /// <param name="now">The time.</param>
    /// <param name="isStepUp">Whether it is to make an administrator.</param>
    /// <param name="isAgain">Whether it takes the place of one that got lost: its state says so, since a lost one's cookie cannot.</param>
    public static SignInFlow Start(string provider, string returnTo, DateTimeOffset now, bool isStepUp = false, bool isAgain = false) =>
        new(Random() + (isAgain ? Again : ""), Random(), Random(), provider, returnTo,
            DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()), isStepUp);

    /// <summary>S256 challenge of the verifier.</summary>
    public string Challenge => StrictBase64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Name of the cookie of a state.</summary>
    public static string CookieName(CookieNames names, string state) =>
        names.FlowPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(state)))[..SuffixLength];

    /// <summary>Whether a text can be a state that we made.</summary>
    public static bool IsState(string? state) => state is { Length: >= StateLength }
        && (state.Length == StateLength || IsAgain(state)) && StrictBase64Url.Decode(state.AsSpan(0, StateLength)) is not null;

    /// <summary>
    /// Whether a state is that of a flow which took the place of a lost one. Nothing but the words of a page hangs on it.
    /// </summary>
    public static bool IsAgain(string? state) => state is { Length: StateLength + 2 } && state.EndsWith(Again, StringComparison.Ordinal);

    /// <summary>Binary form.</summary>
    public byte[] Write()
    {
        var writer = new CompactWriter().Text(State).Text(Nonce).Text(Verifier).Text(Provider).Text(ReturnTo).Time(StartedAt);
        return (IsStepUp ? writer.Text(StepUpMark) : writer).ToArray();
    }

    /// <summary>Reads the binary form; null when it is none.</summary>
    public static SignInFlow? Read(byte[] bytes)
    {
        var reader = new CompactReader(bytes);
        var (state, nonce, verifier) = (reader.Text(), reader.Text(), reader.Text());
        var (provider, returnTo, started) = (reader.Text(), reader.Text(), reader.Time());
        var isStepUp = !reader.IsComplete && reader.Text() == StepUpMark;
        return reader.IsComplete && state is not null && nonce is not null && verifier is not null && provider is not null
            && returnTo is not null
            ? new SignInFlow(state, nonce, verifier, provider, returnTo, started, isStepUp)
            : null;
    }

    private static string Random() => StrictBase64Url.Encode(RandomNumberGenerator.GetBytes(32));
}
