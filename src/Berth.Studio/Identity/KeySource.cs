using System.Security.Cryptography;

namespace Berth.Studio.Identity;

/// <summary>Where the keys that sign identities come from.</summary>
internal interface IKeySource
{
    /// <summary>The key of that id, or null when the issuer has no such key.</summary>
    /// <exception cref="IdentityKeysUnavailableException">No keys were ever had, and they cannot be fetched now.</exception>
    ValueTask<ECParameters?> FindAsync(string keyId, CancellationToken cancellationToken);
}

/// <summary>Keys given in the configuration itself.</summary>
internal sealed class FixedKeySource(IReadOnlyDictionary<string, ECParameters> keys) : IKeySource
{
    public ValueTask<ECParameters?> FindAsync(string keyId, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ECParameters?>(keys.TryGetValue(keyId, out var key) ? key : null);
}
