using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>The connections with what is known of their providers: metadata and keys, for consents.</summary>
internal sealed class ConnectionProviders : IDisposable
{
    private readonly ImmutableDictionary<string, (ConnectionSettings Settings, IdentityProvider Provider)> _connections;
    private readonly ImmutableArray<IdentityProvider> _own;

    /// <summary>Makes providers for the connections that do not use one of the edge's own.</summary>
    public ConnectionProviders(
        ImmutableArray<ConnectionSettings> connections, IdentityProviders providers, OidcBackchannel backchannel, TimeProvider clock,
        ILogger<ConnectionProviders> logger)
    {
        var own = ImmutableArray.CreateBuilder<IdentityProvider>();
        _connections = connections.ToImmutableDictionary(
            c => c.Vault.Name,
            c =>
            {
                if (c.Provider is { } key)
                {
                    return (c, providers.ByKey(key)!);
                }

                own.Add(new IdentityProvider(c.Issuer, backchannel, clock, logger));
                return (c, own[^1]);
            },
            StringComparer.Ordinal);
        _own = own.ToImmutable();
    }

    /// <summary>Names, in order.</summary>
    public IEnumerable<string> Names => _connections.Keys.Order(StringComparer.Ordinal);

    /// <summary>A connection and its provider; null when there is none of this name.</summary>
    public (ConnectionSettings Settings, IdentityProvider Provider)? Find(string name) =>
        _connections.TryGetValue(name, out var found) ? found : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var provider in _own)
        {
            provider.Dispose();
        }
    }
}
