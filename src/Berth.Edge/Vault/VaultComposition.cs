using System.Collections.Immutable;
using Berth.Accounts;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Berth.Edge;

/// <summary>Puts the token vault and its calls together.</summary>
internal static class VaultComposition
{
    /// <summary>Adds the vault; where it has no keys, something that says so.</summary>
    public static void AddBerthVault(this IServiceCollection services, BerthEdgeOptions options)
    {
        services.AddSingleton(s => new ConnectionProviders(
            Connections(options, []), s.GetRequiredService<IdentityProviders>(), s.GetRequiredService<OidcBackchannel>(),
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<ConnectionProviders>>()));
        services.AddSingleton<ManagerEndpoints>();
        services.AddSingleton<ConsentForm>();
        services.AddSingleton<ConsentFlow>();
        if (options.Vault.Keys.Count == 0)
        {
            services.TryAddSingleton<UnconfiguredVault>();
            services.TryAddSingleton<ITokenVault>(s => s.GetRequiredService<UnconfiguredVault>());
            services.TryAddSingleton<ITokenConsents>(s => s.GetRequiredService<UnconfiguredVault>());
            return;
        }

        services.AddSingleton(s => new TokenVault(
            options.Database.ConnectionString!, options.Vault,
            Connections(options, []).Select(c => c.Vault).Concat(VaultSessionTokens.Connections(s.GetRequiredService<EdgeSettings>())),
            s.GetRequiredService<IAccountStore>().Audit, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILoggerFactory>()));
        services.TryAddSingleton<ITokenVault>(s => s.GetRequiredService<TokenVault>());
        services.TryAddSingleton<ITokenConsents>(s => s.GetRequiredService<TokenVault>());
        services.AddSingleton<ISessionTokens, VaultSessionTokens>();
        services.AddSingleton<VaultService>();
        services.AddHostedService(s => s.GetRequiredService<VaultService>());
    }

    /// <summary>Checks what concerns the vault.</summary>
    public static void Check(BerthEdgeOptions options, ICollection<string> problems)
    {
        if (options.Vault.Keys.Count == 0)
        {
            // What connections say of providers is used by the vault alone.
            for (var i = 0; i < options.Edge.Issuers.Count; i++)
            {
                if (options.Edge.Issuers[i].RefreshSessions)
                {
                    problems.Add($"{EdgeOptions.Section}:Issuers:{i}:RefreshSessions needs the token vault, "
                        + "which keeps the refresh tokens: "
                        + "give Vault:Keys and Vault:FingerprintKeys, or leave it out.");
                }
            }

            return;
        }

        Connections(options, problems);

        var prefix = $"{EdgeOptions.Section}:Vault";
        void Problem(string name, string text) => problems.Add($"{prefix}:{name} {text}.");
        options.Vault.Check(Problem);
        VaultKeys.Check(options.Vault, Problem);
        if (string.IsNullOrEmpty(options.Database.ConnectionString))
        {
            Problem("Keys", "are given, but there is no database: give Database:ConnectionString, or leave the keys out");
        }
    }

    private static ImmutableArray<ConnectionSettings> Connections(BerthEdgeOptions options, ICollection<string> problems)
    {
        try
        {
            var issuers = EdgeSettingsParser.Parse(options.Edge).Issuers;
            return new ConnectionSettingsParser(problems, issuers, File.ReadAllText).Parse(options.Connections);
        }
        catch (EdgeConfigurationException)
        {
            // Named already; connections are looked at once the providers can be.
            return [];
        }
    }
}
