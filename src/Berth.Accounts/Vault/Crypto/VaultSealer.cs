namespace Berth.Accounts;

/// <summary>Seals and opens what rows hold.</summary>
internal sealed class VaultSealer(VaultKeyRing keys)
{
    /// <summary>Id of the key that seals.</summary>
    public string KeyId => keys.Active.Id;

    /// <summary>Seals the tokens for a row of the given version.</summary>
    public SealedTokens Seal(VaultRow row, Secret refreshToken, Secret? accessToken) => new()
    {
        KeyId = keys.Active.Id,
        RefreshToken = Envelope.Seal(refreshToken.Bytes, keys.Active, row.Context(SealedKind.Refresh)),
        AccessToken = accessToken is null ? null : Envelope.Seal(accessToken.Bytes, keys.Active, row.Context(SealedKind.Access)),
        TokenType = row.TokenType,
        FingerprintKey = keys.Fingerprint.Id,
        Fingerprint = Fingerprints.Of(keys.Fingerprint, row.Issuer, row.ClientId, refreshToken.Bytes),
    };

    /// <summary>A token of a row, sealed for the outbox.</summary>
    public OutboxRow ForOutbox(VaultRow row, Secret refreshToken)
    {
        var outbox = new OutboxRow(
            Guid.CreateVersion7(), row.Id, row.Owner, row.Connection, row.Issuer, row.ClientId, [], 0, TimeSpan.Zero);
        return outbox with { Token = Seal(refreshToken, outbox.Context) };
    }

    /// <summary>Seals anything else.</summary>
    public byte[] Seal(Secret secret, in RecordContext context) => Envelope.Seal(secret.Bytes, keys.Active, context);

    /// <summary>Opens a record.</summary>
    public EnvelopeError TryOpen(ReadOnlySpan<byte> record, in RecordContext context, out Secret plaintext) =>
        Envelope.TryOpen(record, keys, context, out plaintext!);

    /// <summary>Fingerprints of a token under every key that may have made the stored one.</summary>
    public byte[][] AllFingerprints(string issuer, string clientId, Secret refreshToken) =>
        [.. keys.Fingerprinting.Select(k => Fingerprints.Of(k, issuer, clientId, refreshToken.Bytes))];
}
