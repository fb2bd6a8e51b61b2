using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Berth.EndToEnd;

/// <summary>The WebSockets of a page, from its beginning on, as the browser sees them.</summary>
internal sealed class WatchedSockets
{
    private readonly ConcurrentQueue<TaskCompletionSource> _ended = new();

    public WatchedSockets(IPage page) =>
        page.WebSocket += (_, socket) =>
        {
            var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            socket.Close += (_, _) => end.TrySetResult();
            _ended.Enqueue(end);
            if (socket.IsClosed)
            {
                end.TrySetResult();
            }
        };

    /// <summary>
    /// The end of the one that was opened last; take it before what should end it. Of a page that was left the browser tells no end.
    /// </summary>
    public Task LatestEnds => _ended.Last().Task.WaitAsync(TimeSpan.FromSeconds(60));
}
