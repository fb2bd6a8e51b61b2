using System.Text.Json;

namespace Berth.Edge;

/// <summary>
/// Who is an administrator, and who would be one after authenticating more strongly. Pure functions of configuration and claims.
/// </summary>
internal static class Administrators
{
    /// <summary>Decides.</summary>
    /// <param name="settings">Configuration.</param>
    /// <param name="issuer">Issuer of the person.</param>
    /// <param name="subject">Subject of the person.</param>
    /// <param name="byClaim">Whether a claim makes them one.</param>
    /// <param name="provenAt">When they authenticated as administrators have to; null when they did not.</param>
    /// <param name="now">The time.</param>
    /// <returns>Whether they are one, and what is missing where that is all that keeps them from it.</returns>
    public static (bool IsAdministrator, StepUpSettings? Missing) Decide(
        EdgeSettings settings, string issuer, string subject, bool byClaim, DateTimeOffset? provenAt, DateTimeOffset now)
    {
        if (!byClaim && !settings.Administrators.Contains((issuer, subject)))
        {
            return (false, null);
        }

        var demanded = settings.StepUpOf(issuer);
        return demanded is null || demanded.Holds(provenAt, now) ? (true, null) : (false, demanded);
    }

    /// <summary>Whether a claim of these makes somebody an administrator.</summary>
    public static bool IsByClaim(IssuerSettings issuer, JsonElement claims) => issuer.AdministratorClaim is not null
        && issuer.AdministratorClaimValue is { } value && claims.Texts(issuer.AdministratorClaim).Contains(value);
}
