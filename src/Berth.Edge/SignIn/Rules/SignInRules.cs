using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>What a rule is about.</summary>
internal enum SignInRule
{
    /// <summary>The organisation.</summary>
    Organization,

    /// <summary>The domain of the e-mail address.</summary>
    EmailDomain,

    /// <summary>The groups.</summary>
    Group,
}

/// <summary>Why somebody whom the provider knows may not come in.</summary>
/// <param name="Rule">The rule that says so.</param>
/// <param name="Reason">Stable word for problems and the audit log.</param>
/// <param name="Because">The rest of a sentence that begins with "but".</param>
internal sealed record RuleRefusal(SignInRule Rule, string Reason, string Because);

/// <summary>Who of a provider's people may come in. A pure function: sign-in, refresh and bearer tokens ask the same one.</summary>
/// <remarks>
/// A kind of rule that is configured has to be met: one of its values, and all kinds together. A claim that is missing, or of another form,
/// meets nothing. Kinds that are not configured ask for nothing.
/// </remarks>
internal sealed record SignInRules
{
    /// <summary>Lets everybody in whom the provider knows.</summary>
    public static SignInRules None { get; } = new();

    /// <summary>Claim with the organisation, a string or a list of strings.</summary>
    public string OrganizationClaim { get; init; } = "org_id";

    /// <summary>Organisations that may come in; empty: not asked.</summary>
    public ImmutableHashSet<string> Organizations { get; init; } = [];

    /// <summary>Domains of verified e-mail addresses that may come in, ASCII and lower case; empty: not asked.</summary>
    public ImmutableHashSet<string> EmailDomains { get; init; } = [];

    /// <summary>Claim with the groups, a string or a list of strings.</summary>
    public string GroupClaim { get; init; } = "groups";

    /// <summary>Groups that may come in; empty: not asked.</summary>
    public ImmutableHashSet<string> Groups { get; init; } = [];

    /// <summary>Whether anything is asked for.</summary>
    public bool IsEmpty => Organizations.IsEmpty && EmailDomains.IsEmpty && Groups.IsEmpty;

    /// <summary>Whether a claim that a rule needs is not in the claims, so that userinfo is worth a look.</summary>
    public bool Misses(JsonElement claims) => (!Organizations.IsEmpty && !claims.TryGetProperty(OrganizationClaim, out _))
        || (!Groups.IsEmpty && !claims.TryGetProperty(GroupClaim, out _))
        || (!EmailDomains.IsEmpty && !claims.TryGetProperty("email", out _));

    /// <summary>Asks the rules.</summary>
    /// <param name="claims">Claims of a verified token.</param>
    /// <param name="more">Userinfo of the same person: stands in for claims that the token does not have at all. Null for none.</param>
    /// <returns>The first refusal; null lets the person in.</returns>
    public RuleRefusal? Check(JsonElement claims, JsonElement? more = null)
    {
        if (!Organizations.IsEmpty && !Source(claims, more, OrganizationClaim).Texts(OrganizationClaim).Any(Organizations.Contains))
        {
            return new RuleRefusal(SignInRule.Organization, "organization-not-allowed",
                "your organisation is none of those that may use this service, or the provider does not say which it is");
        }

        if (!EmailDomains.IsEmpty && !IsAllowedAddress(Source(claims, more, "email")))
        {
            return new RuleRefusal(SignInRule.EmailDomain, "email-not-allowed",
                "the domain of your e-mail address is none of those that may use this service, "
                    + "or the provider has not verified the address");
        }

        if (!Groups.IsEmpty && !Source(claims, more, GroupClaim).Texts(GroupClaim).Any(Groups.Contains))
        {
            return new RuleRefusal(SignInRule.Group, "group-not-allowed",
                "you are in none of the groups that may use this service, or the provider does not say which you are in");
        }

        return null;
    }

    /// <summary>
    /// The domain of an address in ASCII and lower case; null for anything but one local part, one <c>@</c> and one domain with a dot
    /// (CVE-2026-40574: <c>a@evil.example@company.example</c>).
    /// </summary>
    public static string? DomainOf(string? address)
    {
        var at = address?.IndexOf('@') ?? -1;
        if (address is null || address.Length > 254 || at is < 1 or > 64 || address.IndexOf('@', at + 1) >= 0
            || address.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is ',' or ';' or '<' or '>' or '"' or '\\' or '(' or ')'))
        {
            return null;
        }

        return Domain(address[(at + 1)..]);
    }

    /// <summary>A domain in ASCII and lower case; null when it is none, or has no dot inside.</summary>
    public static string? Domain(string text)
    {
        // Other scripts' full stops are read as dots by some and not by others; a dot at the end is another spelling of the same name.
        if (text.Length is 0 or > 253 || text.AsSpan().ContainsAny('\u3002', '\uFF0E', '\uFF61') || text.Contains('＠') || text[^1] == '.')
        {
            return null;
        }

        try
        {
            var ascii = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(text).ToLowerInvariant();
            return ascii.Contains('.') && !ascii.All(c => char.IsAsciiDigit(c) || c == '.') ? HostNames.Canonicalise(ascii) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    // The address and its verification come from one place: an address of one source is not verified by the word of another.
    private bool IsAllowedAddress(JsonElement source) =>
        source.TryGetProperty("email_verified", out var verified) && verified.ValueKind == JsonValueKind.True
        && DomainOf(source.Text("email", 254)) is { } domain && EmailDomains.Contains(domain);

    private static JsonElement Source(JsonElement claims, JsonElement? more, string claim) =>
        more is { } other && !claims.TryGetProperty(claim, out _) ? other : claims;
}
