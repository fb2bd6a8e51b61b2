using System.Collections.Immutable;

namespace Berth.Edge;

/// <content>Providers.</content>
internal sealed partial class EdgeSettingsParser
{
    private ImmutableArray<IssuerSettings> Issuers(EdgeOptions options)
    {
        if (options.Issuers.Count == 0)
        {
            Problem("Issuers", "is empty; name at least one OpenID Provider (Issuer, ClientId)");
        }

        var result = ImmutableArray.CreateBuilder<IssuerSettings>();
        for (var i = 0; i < options.Issuers.Count; i++)
        {
            var issuer = options.Issuers[i];
            var name = $"Issuers:{i}";
            var host = "provider";
            if (!Uri.TryCreate(issuer.Issuer, UriKind.Absolute, out var uri) || uri.Query.Length > 0 || uri.Fragment.Length > 0
                || uri.UserInfo.Length > 0)
            {
                Problem($"{name}:Issuer", $"is '{issuer.Issuer}'; give the URL that the provider's discovery document states as issuer");
            }
            else
            {
                host = uri.Host;
                if (!HostNames.IsSecureUrl(uri))
                {
                    Problem($"{name}:Issuer", $"is '{issuer.Issuer}'; a provider must be reached by https (http only on loopback)");
                }
            }

            var key = issuer.Key ?? new string([.. host.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
            if (key.Length is 0 or > 63 || !key.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            {
                Problem($"{name}:Key", $"is '{key}'; use lower-case letters, digits and dashes");
            }

            Require(name, "ClientId", issuer.ClientId);
            var secret = Secret(name, issuer);
            var algorithms = Algorithms(name, issuer);
            TokenRules(name, issuer);
            var scope = Scopes(name, issuer);
            if (result.Any(r => r.Issuer == issuer.Issuer))
            {
                Problem($"{name}:Issuer", $"'{issuer.Issuer}' is configured twice; keep one");
            }

            if (result.Any(r => r.Key == key))
            {
                Problem($"{name}:Key", $"'{key}' is used twice; give each provider a Key of its own");
            }

            result.Add(new IssuerSettings
            {
                Key = key,
                DisplayName = string.IsNullOrWhiteSpace(issuer.DisplayName) ? host : issuer.DisplayName,
                Issuer = issuer.Issuer,
                ClientId = issuer.ClientId,
                ClientSecret = secret,
                Scope = scope,
                Audience = string.IsNullOrEmpty(issuer.Audience) ? null : issuer.Audience,
                Algorithms = algorithms,
                AcceptUntypedAccessTokens = issuer.AcceptUntypedAccessTokens,
                MaximumTokenLifetime = issuer.MaximumTokenLifetime,
                Introspection = Introspection(name, issuer, secret, isFirst: result.All(r => r.Introspection is null)),
                Rules = Rules(name, issuer, scope),
                StepUp = StepUp(name, issuer, options),
                RefreshAfter = RefreshAfter(name, issuer, options),
                Prompt = Prompt(name, issuer),
                AdministratorClaim = issuer.AdministratorClaim,
                AdministratorClaimValue = issuer.AdministratorClaimValue,
            });
        }

        return result.ToImmutable();
    }

    private string Scopes(string name, IssuerOptions issuer)
    {
        if (issuer.Scopes.FirstOrDefault(s => s.Length == 0 || s.Any(c => c is <= ' ' or '"' or '\\' or > '~')) is { } bad)
        {
            Problem($"{name}:Scopes", $"contains '{bad}'; one scope per entry, without spaces or quotes");
        }

        var scopes = issuer.Scopes.Count > 0 ? issuer.Scopes : ["openid", "profile", "email"];
        return string.Join(' ', scopes.Contains("openid") ? scopes : scopes.Prepend("openid"));
    }

    private string? Secret(string name, IssuerOptions issuer)
    {
        if (string.IsNullOrEmpty(issuer.ClientSecretFile))
        {
            return string.IsNullOrEmpty(issuer.ClientSecret) ? null : issuer.ClientSecret;
        }

        if (!string.IsNullOrEmpty(issuer.ClientSecret))
        {
            Problem($"{name}:ClientSecretFile", "is given beside ClientSecret; keep one of them");
        }

        var text = Read($"{name}:ClientSecretFile", issuer.ClientSecretFile)?.Trim();
        if (text is { Length: 0 })
        {
            Problem($"{name}:ClientSecretFile",
                $"'{issuer.ClientSecretFile}' is empty; put the secret into it, or remove the key for a public client");
        }

        return text;
    }

    private ImmutableHashSet<string> Algorithms(string name, IssuerOptions issuer)
    {
        var algorithms = issuer.Algorithms.Count > 0 ? [.. issuer.Algorithms] : JwsAlgorithms.All;
        foreach (var unknown in algorithms.Except(JwsAlgorithms.All))
        {
            // The framework has no Ed25519, and signatures are nothing to write oneself.
            Problem($"{name}:Algorithms", $"contains '{unknown}'; accepted are {string.Join(", ", JwsAlgorithms.All.Order())}"
                + (unknown == "EdDSA" ? ". .NET 10 has no Ed25519; have the provider sign with ES256" : ""));
        }

        return algorithms;
    }

    private void TokenRules(string name, IssuerOptions issuer)
    {
        if (issuer.AcceptUntypedAccessTokens && (string.IsNullOrEmpty(issuer.Audience) || issuer.Audience == issuer.ClientId))
        {
            Problem($"{name}:AcceptUntypedAccessTokens",
                "needs an Audience other than ClientId, else an ID token would pass as an access token");
        }

        if (issuer.MaximumTokenLifetime <= TimeSpan.Zero)
        {
            Problem($"{name}:MaximumTokenLifetime", "must be positive; the default is 1.00:00:00");
        }

        if (string.IsNullOrEmpty(issuer.AdministratorClaim) != string.IsNullOrEmpty(issuer.AdministratorClaimValue))
        {
            Problem($"{name}:AdministratorClaim", "and AdministratorClaimValue go together; give both or none");
        }
    }
}
