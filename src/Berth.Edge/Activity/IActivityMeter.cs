namespace Berth.Edge;

/// <summary>Notes that people use workspaces. Asked on every request: never waits, never fails.</summary>
internal interface IActivityMeter
{
    /// <summary>Notes a request that was let through, as use of the workspace unless its template says that the path is none.</summary>
    /// <returns>For what follows in the same request; null when its path is no use.</returns>
    UseInProgress? Begin(WorkspaceEntry workspace, string path);
}

/// <summary>Notes nothing; stands in until a better one is composed.</summary>
internal sealed class NoActivityMeter : IActivityMeter
{
    /// <inheritdoc/>
    public UseInProgress? Begin(WorkspaceEntry workspace, string path) => null;
}

/// <summary>One request or WebSocket that counts, for as long as it lasts.</summary>
/// <param name="use">The workspace's entry.</param>
/// <param name="ignoreMessagesBelow">Messages with fewer bytes do not count.</param>
/// <param name="clock">Its clock.</param>
internal sealed class UseInProgress(WorkspaceUse use, int ignoreMessagesBelow, TimeProvider clock)
{
    // An upload is worth a note of its own once it lasts; what is over at once is the request itself.
    private const long UploadStep = 1000;

    private long _nextUpload = clock.GetUtcNow().ToUnixTimeMilliseconds() + UploadStep;

    /// <summary>A reader for the frames that the client sends.</summary>
    public ClientFrames NewFrames() => new(ignoreMessagesBelow);

    /// <summary>A message came.</summary>
    public void Message() => use.Touch(UseSource.Message, clock.GetUtcNow());

    /// <summary>Bytes of the request's body came.</summary>
    public void Uploaded()
    {
        var now = clock.GetUtcNow();
        if (now.ToUnixTimeMilliseconds() >= _nextUpload)
        {
            _nextUpload = now.ToUnixTimeMilliseconds() + UploadStep;
            use.Touch(UseSource.Upload, now);
        }
    }
}
