namespace Berth.Edge;

/// <summary>
/// Up to when a replica may say that all use which bears on a stop is written. The operator stops a workspace only when every replica says
/// so for the time of the stop; so the replica must have heard of its announcement, and have answered it.
/// </summary>
/// <remarks>
/// <code>
/// the watch is fresh when a flush begins    -> it has heard of every announcement up to now
/// it is not                                 -> it has heard of those up to the last time that it was
/// every write that was needed was done      -> say so
/// </code>
/// </remarks>
/// <param name="WrittenUntil">The claim; null before the first.</param>
/// <param name="HeardUntil">Up to when announcements have been heard; null before the first picture.</param>
internal sealed record LeaseClaim(DateTimeOffset? WrittenUntil, DateTimeOffset? HeardUntil)
{
    /// <summary>
    /// How long a watch may be silent and count as fresh: servers send a bookmark each minute, give or take some seconds. A connection that
    /// is dead and does not show it is found out after this time; stops are announced five minutes before.
    /// </summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(80);

    /// <summary>A replica that has just started.</summary>
    public static LeaseClaim None { get; } = new(null, null);

    /// <summary>The claim after a flush.</summary>
    /// <param name="began">When the flush began.</param>
    /// <param name="lastContact">When the watch last brought something; null while it is cut off.</param>
    /// <param name="allWritten">Whether each write that was needed was done.</param>
    public LeaseClaim After(DateTimeOffset began, DateTimeOffset? lastContact, bool allWritten)
    {
        var heard = lastContact is { } at && began - at <= Silence ? Later(HeardUntil, began) : HeardUntil;
        return new LeaseClaim(allWritten && heard is { } until ? Later(WrittenUntil, until) : WrittenUntil, heard);
    }

    private static DateTimeOffset Later(DateTimeOffset? a, DateTimeOffset b) => a > b ? a.Value : b;
}
