using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>Signature algorithms of JWS that are accepted: asymmetric ones that providers use (RFC 7518, 3.1).</summary>
internal static class JwsAlgorithms
{
    public const string Rs256 = "RS256";

    public const string Ps256 = "PS256";

    public const string Es256 = "ES256";

    public const string Es384 = "ES384";

    /// <summary>All of them.</summary>
    public static readonly ImmutableHashSet<string> All = [Rs256, Ps256, Es256, Es384];
}
