using System.Security.Cryptography;

namespace Berth.Accounts;

/// <summary>The vault's keys do not fit its database. The message names each key and what to do.</summary>
public sealed class VaultKeyException : Exception
{
    /// <summary>Makes one with a general message.</summary>
    public VaultKeyException()
        : base("The vault's keys do not fit its database.")
    {
    }

    /// <summary>Makes one with a message for the log.</summary>
    public VaultKeyException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message for the log and its cause.</summary>
    public VaultKeyException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// Compares the configured keys with what the database was written with, before anything is read or written with them: a wrong key found
/// later would leave records behind that nobody can open.
/// </summary>
internal sealed class VaultKeyCheck(VaultStore store, VaultKeyRing keys)
{
    private static ReadOnlySpan<byte> Known => "This was sealed with the right key."u8;

    /// <summary>Checks; writes a canary for each key that has none.</summary>
    /// <exception cref="VaultKeyException">The keys do not fit: every problem in one message.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        foreach (var (kind, id, count) in await store.CountByKeyAsync(cancellationToken).ConfigureAwait(false))
        {
            // A fingerprint key that is gone costs de-duplication of what it made, and nothing else: the next refresh makes a new one.
            if (kind == "seal" && keys.Find(id) is null)
            {
                problems.Add($"{count} records are sealed with key '{id}', which is not configured or is Retired: give it back under "
                    + $"Vault:Keys (Id={id}, its file, State=DecryptOnly) until the vault has moved them to key '{keys.Active.Id}'.");
            }
        }

        foreach (var key in keys.Sealing)
        {
            var canary = await store.GetOrAddCanaryAsync("seal", key.Id, Envelope.Seal(Known, key, Context(key.Id)), cancellationToken)
                .ConfigureAwait(false);
            var error = Envelope.TryOpen(canary, keys, Context(key.Id), out var opened);
            using (opened)
            {
                if (error != EnvelopeError.None || !opened.Bytes.SequenceEqual(Known))
                {
                    problems.Add(Wrong("Keys", key.Id));
                }
            }
        }

        foreach (var key in keys.Fingerprinting)
        {
            var expected = Fingerprints.Canary(key);
            var canary = await store.GetOrAddCanaryAsync("fingerprint", key.Id, expected, cancellationToken).ConfigureAwait(false);
            if (!CryptographicOperations.FixedTimeEquals(canary, expected))
            {
                problems.Add(Wrong("FingerprintKeys", key.Id));
            }
        }

        if (problems.Count > 0)
        {
            throw new VaultKeyException($"The token vault does not start: {string.Join(' ', problems)}");
        }
    }

    private static string Wrong(string list, string id) =>
        $"Key '{id}' of Vault:{list} is not the key that this database knows under that name: restore the right one, or give the new key a "
            + "name of its own.";

    private static RecordContext Context(string id) => new(Guid.Empty, new PersonKey("", ""), "", id, SealedKind.Canary, 1);
}
