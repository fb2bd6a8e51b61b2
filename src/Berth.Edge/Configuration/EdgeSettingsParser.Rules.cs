using System.Collections.Immutable;

namespace Berth.Edge;

/// <content>Who may sign in, and how administrators have to. What would never be enforced, or never be met, is refused here.</content>
internal sealed partial class EdgeSettingsParser
{
    private const int LongestValue = 255;

    private SignInRules Rules(string name, IssuerOptions issuer, string scope)
    {
        var allow = issuer.Allow;
        var none = SignInRules.None;
        Values($"{name}:Allow:Organizations", allow.Organizations, "an organisation");
        Values($"{name}:Allow:Groups", allow.Groups, "a group");
        Claim($"{name}:Allow:OrganizationClaim", allow.OrganizationClaim, allow.Organizations, "Organizations");
        Claim($"{name}:Allow:GroupClaim", allow.GroupClaim, allow.Groups, "Groups");
        var domains = new List<string>();
        for (var i = 0; i < allow.EmailDomains.Count; i++)
        {
            if (SignInRules.Domain(allow.EmailDomains[i] ?? "") is { } domain)
            {
                domains.Add(domain);
            }
            else
            {
                Problem($"{name}:Allow:EmailDomains:{i}", $"is '{allow.EmailDomains[i]}'; give what stands behind the @ alone, such as "
                    + "example.com. Domains below it are domains of their own; there are no wildcards");
            }
        }

        if (allow.EmailDomains.Count > 0 && !scope.Split(' ').Contains("email"))
        {
            Problem($"{name}:Allow:EmailDomains", "can never be met: Scopes leaves out 'email', so the provider tells no address; add it");
        }

        return new SignInRules
        {
            OrganizationClaim = string.IsNullOrEmpty(allow.OrganizationClaim) ? none.OrganizationClaim : allow.OrganizationClaim,
            Organizations = [.. allow.Organizations],
            EmailDomains = [.. domains],
            GroupClaim = string.IsNullOrEmpty(allow.GroupClaim) ? none.GroupClaim : allow.GroupClaim,
            Groups = [.. allow.Groups],
        };
    }

    private StepUpSettings? StepUp(string name, IssuerOptions issuer, EdgeOptions options)
    {
        if (issuer.AdministratorAcr.Count == 0 && issuer.AdministratorAmr.Count == 0 && issuer.AdministratorMaxAge is null)
        {
            return null;
        }

        Values($"{name}:AdministratorAcr", issuer.AdministratorAcr, "a value of acr", mayHaveSpaces: false);
        Values($"{name}:AdministratorAmr", issuer.AdministratorAmr, "a value of amr", mayHaveSpaces: false);
        if (issuer.AdministratorMaxAge is { } age && (age < TimeSpan.FromMinutes(1) || age > TimeSpan.FromDays(31)))
        {
            Problem($"{name}:AdministratorMaxAge", $"is {age}; give a time between 00:01:00 and 31 days, or leave it out");
        }

        if (string.IsNullOrEmpty(issuer.AdministratorClaim) && options.Administrators.All(a => a.Issuer != issuer.Issuer))
        {
            var key = issuer.AdministratorAcr.Count > 0 ? "AdministratorAcr"
                : issuer.AdministratorAmr.Count > 0 ? "AdministratorAmr" : "AdministratorMaxAge";
            Problem($"{name}:{key}", "asks something of administrators, but nobody of this provider can be one; give AdministratorClaim or "
                + "Administrators, or leave it out");
        }

        return new StepUpSettings([.. issuer.AdministratorAcr], [.. issuer.AdministratorAmr], issuer.AdministratorMaxAge);
    }

    private TimeSpan? RefreshAfter(string name, IssuerOptions issuer, EdgeOptions options)
    {
        if (!issuer.RefreshSessions)
        {
            return null;
        }

        if (issuer.RefreshAfter < TimeSpan.FromMinutes(1) || issuer.RefreshAfter > options.Session.AbsoluteTimeout)
        {
            Problem($"{name}:RefreshAfter", $"is {issuer.RefreshAfter}; give a time between 00:01:00 and Session:AbsoluteTimeout, such as "
                + "00:15:00");
        }

        return issuer.RefreshAfter;
    }

    private string? Prompt(string name, IssuerOptions issuer)
    {
        if (string.IsNullOrEmpty(issuer.Prompt) || SignInHints.IsPrompt(issuer.Prompt))
        {
            return string.IsNullOrEmpty(issuer.Prompt) ? null : issuer.Prompt;
        }

        Problem($"{name}:Prompt", $"is '{issuer.Prompt}'; give one of {string.Join(", ", SignInHints.Prompts)}, or leave it out");
        return null;
    }

    // An empty value would be met by nothing, or seem to ask for something and not do it.
    private void Values(string name, IList<string> values, string what, bool mayHaveSpaces = true)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(values[i]) || values[i].Length > LongestValue || values[i] != values[i].Trim()
                || values[i].Any(c => char.IsControl(c) || c == '"') || (!mayHaveSpaces && values[i].Contains(' ')))
            {
                Problem($"{name}:{i}", $"is '{values[i]}'; give {what} exactly as the provider writes it, one an entry");
            }
        }
    }

    private void Claim(string name, string? claim, IList<string> values, string list)
    {
        if (claim is not null && string.IsNullOrWhiteSpace(claim))
        {
            Problem(name, "is empty; give the name of a claim, or leave it out");
        }
        else if (claim is not null && values.Count == 0)
        {
            Problem(name, $"does nothing without Allow:{list}; give those that may come in, or leave it out");
        }
    }
}
