namespace Berth.Accounts;

/// <summary>A row of <c>berth.vault_tokens</c> as it was at one moment. What is sealed stays sealed.</summary>
internal sealed record VaultRow
{
    public required Guid Id { get; init; }

    public required PersonKey Owner { get; init; }

    public required string Connection { get; init; }

    public required string Issuer { get; init; }

    public required string ClientId { get; init; }

    public string? ProviderSubject { get; init; }

    public string? ProviderSessionId { get; init; }

    public required string Scope { get; init; }

    public required string Purpose { get; init; }

    public required StoredTokenState State { get; init; }

    public ReconsentCause Cause { get; init; }

    public required long Version { get; init; }

    public byte[]? RefreshToken { get; init; }

    public byte[]? AccessToken { get; init; }

    public string TokenType { get; init; } = "Bearer";

    /// <summary>Time the access token has yet, by the database's clock; null when there is none.</summary>
    public TimeSpan? AccessRemaining { get; init; }

    /// <summary>Its whole life.</summary>
    public TimeSpan AccessLifetime { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset RefreshedAt { get; init; }

    /// <summary>Time since the last refresh, by the database's clock.</summary>
    public TimeSpan SinceRefresh { get; init; }

    /// <summary>Time the lease has yet; null when nobody has it, or it has run out.</summary>
    public TimeSpan? LeaseRemaining { get; init; }

    /// <summary>The lease that the last commit was made under.</summary>
    public Guid? CommittedBy { get; init; }

    public RecordContext Context(string kind) => new(Id, Owner, Issuer, ClientId, kind, Version);

    public StoredToken ToStoredToken() => new()
    {
        Id = Id,
        Owner = Owner,
        Connection = Connection,
        Issuer = Issuer,
        ClientId = ClientId,
        ProviderSubject = ProviderSubject,
        ProviderSessionId = ProviderSessionId,
        Scope = Scope,
        Purpose = Purpose,
        State = State,
        Cause = Cause,
        Version = Version,
        CreatedAt = CreatedAt,
        RefreshedAt = RefreshedAt,
    };
}

/// <summary>What was learned when a lease was taken.</summary>
/// <param name="Id">Id of the lease.</param>
/// <param name="Unanswered">Whether an earlier attempt's answer never came.</param>
/// <param name="Interrupted">How many holders in a row let the lease run out: they crashed.</param>
internal sealed record VaultLease(Guid Id, bool Unanswered, int Interrupted);

/// <summary>A row whose lease was taken.</summary>
/// <param name="Row">The row, as if nobody had its lease.</param>
/// <param name="Lease">The lease.</param>
internal sealed record LeasedRow(VaultRow Row, VaultLease Lease);

/// <summary>Sealed tokens to write.</summary>
internal sealed record SealedTokens
{
    public required string KeyId { get; init; }

    public required byte[] RefreshToken { get; init; }

    public byte[]? AccessToken { get; init; }

    public required string TokenType { get; init; }

    /// <summary>Time the access token has yet.</summary>
    public TimeSpan? AccessRemaining { get; init; }

    public TimeSpan? AccessLifetime { get; init; }

    public required string FingerprintKey { get; init; }

    public required byte[] Fingerprint { get; init; }

    public string? ProviderSubject { get; init; }

    public string? ProviderSessionId { get; init; }
}
