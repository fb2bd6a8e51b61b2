namespace Berth.Accounts;

/// <summary>
/// Since when keys are in use. A key's file says nothing of its age: whoever mounts a secret writes the file anew. So the store notes the
/// first use of each.
/// </summary>
public interface IKeyUses
{
    /// <summary>When a key was used first, by any replica; now, when it never was.</summary>
    /// <param name="kind">What it is for, such as <c>session</c>.</param>
    /// <param name="keyId">Its public name or the beginning of a hash; never the key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="AccountsUnavailableException">The database cannot be used now.</exception>
    Task<DateTimeOffset> FirstUseAsync(string kind, string keyId, CancellationToken cancellationToken);
}
