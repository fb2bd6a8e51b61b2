using System.Collections.Immutable;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>A connection after checking.</summary>
internal sealed record ConnectionSettings
{
    /// <summary>As the vault uses it.</summary>
    public required VaultConnection Vault { get; init; }

    /// <summary>As ID tokens are verified with.</summary>
    public required IssuerSettings Issuer { get; init; }

    /// <summary>More parameters of the authorisation request.</summary>
    public required ImmutableArray<(string Name, string Value)> AuthorizationParameters { get; init; }

    /// <summary>Key of the edge's own provider that it uses; null for one of its own.</summary>
    public string? Provider { get; init; }

    /// <summary>Keeps the secrets out of logs and exception texts.</summary>
    public override string ToString() => Vault.ToString();
}

/// <summary>Checks and parses <see cref="ConnectionOptions"/> as far as the vault needs them. Collects every problem.</summary>
internal sealed class ConnectionSettingsParser(
    ICollection<string> problems, ImmutableArray<IssuerSettings> issuers, Func<string, string> readFile)
{
    // What the flow itself says; a second value would be a way around it.
    private static readonly string[] Reserved =
    [
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "audience",
        "resource", "response_mode", "request", "request_uri",
    ];

    /// <summary>Parses the connections; those with a problem are left out.</summary>
    public ImmutableArray<ConnectionSettings> Parse(IReadOnlyDictionary<string, ConnectionOptions> connections) =>
        [.. connections.Select(c => ParseOne(c.Key, c.Value)).OfType<ConnectionSettings>()];

    private ConnectionSettings? ParseOne(string name, ConnectionOptions options)
    {
        var before = problems.Count;
        var issuer = Issuer(name, options);
        var parameters = Parameters(name, options);
        var scopes = Scopes(name, options);
        if (options.DefaultTokenLifetime < TimeSpan.FromSeconds(10) || options.DefaultTokenLifetime > TimeSpan.FromDays(1))
        {
            Problem(name, "DefaultTokenLifetime", $"is {options.DefaultTokenLifetime}; give a time from 10 seconds to 1 day");
        }

        if (options.KeepAliveAfter < TimeSpan.Zero || options.KeepAliveAfter > TimeSpan.FromDays(365))
        {
            Problem(name, "KeepAliveAfter", $"is {options.KeepAliveAfter}; give a time such as 1.00:00:00, or 0 for never");
        }

        if (problems.Count > before || issuer is null)
        {
            return null;
        }

        return new ConnectionSettings
        {
            Vault = new VaultConnection
            {
                Name = name,
                Issuer = issuer.Issuer,
                ClientId = issuer.ClientId,
                ClientSecret = issuer.ClientSecret,
                Scopes = scopes,
                Audience = Blank(options.Audience),
                Resource = Blank(options.Resource),
                DefaultTokenLifetime = options.DefaultTokenLifetime,
                KeepAliveAfter = options.KeepAliveAfter,
            },
            Issuer = issuer,
            AuthorizationParameters = parameters,
            Provider = Blank(options.Provider),
        };
    }

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private IssuerSettings? Issuer(string name, ConnectionOptions options)
    {
        if (Blank(options.Provider) is { } key)
        {
            if (Blank(options.Issuer) is not null || Blank(options.ClientId) is not null || Blank(options.ClientSecret) is not null
                || Blank(options.ClientSecretFile) is not null)
            {
                Problem(name, "Provider", "is given beside an issuer or client of its own; keep one of the two");
            }

            var known = issuers.FirstOrDefault(i => i.Key == key);
            if (known is null)
            {
                Problem(name, "Provider", $"is '{key}', which is the Key of none of Issuers");
            }

            return known;
        }

        if (!Uri.TryCreate(options.Issuer, UriKind.Absolute, out var uri) || !HostNames.IsSecureUrl(uri) || uri.Query.Length > 0
            || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            Problem(name, "Issuer", $"is '{options.Issuer}'; give the https URL that the provider's discovery document states as issuer, "
                + "or the Key of one of Issuers as Provider");
        }

        if (Blank(options.ClientId) is null)
        {
            Problem(name, "ClientId", "is missing; give the client id that the provider knows");
        }

        return new IssuerSettings
        {
            Key = name,
            DisplayName = name,
            Issuer = options.Issuer ?? "",
            ClientId = options.ClientId ?? "",
            ClientSecret = Secret(name, options),
            Scope = string.Join(' ', options.Scopes),
            Algorithms = JwsAlgorithms.All,
            MaximumTokenLifetime = TimeSpan.FromHours(24),
        };
    }

    private string? Secret(string name, ConnectionOptions options)
    {
        if (Blank(options.ClientSecretFile) is not { } file)
        {
            return Blank(options.ClientSecret);
        }

        if (Blank(options.ClientSecret) is not null)
        {
            Problem(name, "ClientSecretFile", "is given beside ClientSecret; keep one of them");
        }

        try
        {
            var text = readFile(file).Trim();
            if (text.Length == 0)
            {
                Problem(name, "ClientSecretFile", $"names '{file}', which is empty; put the secret into it");
            }

            return text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Problem(name, "ClientSecretFile", $"names '{file}', which cannot be read ({e.Message}); check the path and its permissions");
            return null;
        }
    }

    private IReadOnlyList<string> Scopes(string name, ConnectionOptions options)
    {
        if (options.Scopes.FirstOrDefault(s => s.Length == 0 || s.Any(c => c is <= ' ' or '"' or '\\' or > '~')) is { } bad)
        {
            Problem(name, "Scopes", $"contains '{bad}'; one scope per entry, without spaces or quotes");
        }

        IList<string> scopes = options.Scopes.Count > 0 ? options.Scopes : ["openid", "offline_access"];
        return [.. scopes.Contains("openid") ? scopes : scopes.Prepend("openid")];
    }

    private ImmutableArray<(string Name, string Value)> Parameters(string name, ConnectionOptions options)
    {
        if (options.AuthorizationParameters.Count == 0)
        {
            return [("prompt", "consent")];
        }

        var result = ImmutableArray.CreateBuilder<(string, string)>();
        foreach (var text in options.AuthorizationParameters)
        {
            var parts = text.Split('=', 2);
            if (parts.Length != 2 || parts[0].Length == 0 || text.Any(char.IsControl))
            {
                Problem(name, "AuthorizationParameters", $"contains '{text}'; write each as name=value");
            }
            else if (Reserved.Contains(parts[0]))
            {
                Problem(name, "AuthorizationParameters", $"contains '{parts[0]}', which the edge sets itself; leave it out");
            }
            else
            {
                result.Add((parts[0], parts[1]));
            }
        }

        return result.ToImmutable();
    }

    private void Problem(string name, string option, string text) =>
        problems.Add($"{EdgeOptions.Section}:Connections:{name}:{option} {text}.");
}
