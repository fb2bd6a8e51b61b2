namespace Berth.Edge;

/// <summary>Tells clocks that differ from tokens that are bad.</summary>
internal static class ClockDifference
{
    /// <summary>
    /// A sentence about the clocks; null where the times of the token are not readable, or say nothing of clocks. iat of a token that was
    /// made for us a moment ago is the provider's clock.
    /// </summary>
    public static string? Of(string idToken, DateTimeOffset now)
    {
        if (JwsVerifier.Parse(idToken, JwsAlgorithms.All, out var jws) != TokenError.None
            || StrictJson.ParseObject(jws!.Payload) is not { } claims || !JwtClaims.Date(claims, "iat", out var issued)
            || issued is not { } at)
        {
            return null;
        }

        var minutes = (int)Math.Round(Math.Abs((at - now).TotalMinutes), MidpointRounding.AwayFromZero);
        return at - now > JwtClaims.Skew || now - at > JwtClaims.Skew
            ? $"The clocks differ by {minutes} minute{(minutes == 1 ? "" : "s")}: at the identity provider it is "
                + (at > now ? "later" : "earlier") + " than here."
            : null;
    }
}
