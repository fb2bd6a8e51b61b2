namespace Berth.Accounts;

/// <summary>
/// The audit log as a chain: each event has a sequence number, and a hash over its fields and the hash before it. Who changes, removes or
/// inserts an event later breaks the chain from there, unless they can rewrite all of it: so note the head somewhere else now and then.
/// </summary>
/// <exception cref="AccountsUnavailableException">From every method: the database cannot be reached.</exception>
public interface IAuditLog
{
    /// <summary>
    /// Reads events in the order of the chain. It reads ahead a page at a time and holds no connection between pages, so a slow reader
    /// costs nobody else anything; events that come meanwhile may or may not be in it.
    /// </summary>
    IAsyncEnumerable<AuditEntry> ReadAsync(AuditRange range, CancellationToken cancellationToken);

    /// <summary>Reads the whole chain and computes it anew.</summary>
    /// <param name="anchor">A head noted earlier, which must still be in the chain (or older than it); null to check the chain
    /// alone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<AuditVerification> VerifyAsync(AuditAnchor? anchor, CancellationToken cancellationToken);

    /// <summary>
    /// Removes the oldest events up to the first that is younger than <paramref name="before"/>, and leaves a checkpoint, so that the rest
    /// can still be verified.
    /// </summary>
    /// <returns>The number removed.</returns>
    /// <exception cref="InvalidOperationException">The database keeps events for longer than that.</exception>
    Task<long> ExpireAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>An event and its place in the chain.</summary>
/// <param name="Sequence">1 for the first event there ever was; no number is left out.</param>
/// <param name="Event">The event.</param>
/// <param name="Previous">Hash of the event before, 32 bytes; zeros for the first.</param>
/// <param name="Hash">Its own hash, 32 bytes.</param>
public sealed record AuditEntry(long Sequence, AuditEvent Event, ReadOnlyMemory<byte> Previous, ReadOnlyMemory<byte> Hash);

/// <summary>A place in the chain, to be noted somewhere else.</summary>
/// <param name="Sequence">Number of the event; 0 before the first.</param>
/// <param name="Hash">Its hash, 64 lower-case hexadecimal digits.</param>
public readonly record struct AuditAnchor(long Sequence, string Hash);

/// <summary>What a verification found.</summary>
/// <param name="Events">Events that were checked.</param>
/// <param name="Head">The last one that is right.</param>
/// <param name="BrokenAt">Sequence number of the first event that is wrong or missing; null when all is right.</param>
/// <param name="Reason">What is wrong with it, in a sentence.</param>
public sealed record AuditVerification(long Events, AuditAnchor Head, long? BrokenAt, string? Reason);

/// <summary>Which part of the log to read.</summary>
public sealed record AuditRange
{
    /// <summary>Events of this time or later; null from the first.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Events before this time; null to the last.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Only of this actor; null for everybody.</summary>
    public PersonKey? Actor { get; init; }
}
