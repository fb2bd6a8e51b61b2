namespace Berth.Edge;

/// <summary>
/// Up to when a replica may say that all use which bears on a stop is written. The operator stops a workspace only when this is later than
/// the announcement of the stop; so the replica must have heard of each announcement before that time, and have answered it.
/// </summary>
/// <remarks>
/// <code>
/// beat:        the watch moved since the last beat, or the one before     -> what it would have heard of reaches up to now
///              it did not move: nothing new, or nobody at the other end?  -> up to where it reached before
///              all writes succeeded                                       -> say so
/// </code>
/// An announcement moves the watch itself, so in a quiet installation the claim is old and harmless until the first announcement, and
/// current with the beat after it. A watch that is cut off, or silent on a dead connection, never moves it.
/// </remarks>
/// <param name="WrittenUntil">The claim; null before the first.</param>
/// <param name="HeardUntil">Up to when announcements have been heard.</param>
/// <param name="Version">How far the watch had come at the last beat.</param>
/// <param name="Moved">Whether it had moved at the last beat.</param>
internal sealed record LeaseClaim(DateTimeOffset? WrittenUntil, DateTimeOffset? HeardUntil, string? Version, bool Moved)
{
    /// <summary>A replica that has just started.</summary>
    public static LeaseClaim None { get; } = new(null, null, null, false);

    /// <summary>The claim after a flush.</summary>
    /// <param name="began">When the flush began.</param>
    /// <param name="version">How far the watch had come when it began; null while its picture is not complete.</param>
    /// <param name="allWritten">Whether each write that was needed was done.</param>
    public LeaseClaim After(DateTimeOffset began, string? version, bool allWritten)
    {
        var moved = version is not null && version != Version;
        var heard = version is not null && (moved || Moved) ? Later(HeardUntil, began) : HeardUntil;
        var written = allWritten && heard is { } until ? Later(WrittenUntil, until) : WrittenUntil;
        return new LeaseClaim(written, heard, version ?? Version, moved);
    }

    private static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset b) => a > b ? a : b;
}
