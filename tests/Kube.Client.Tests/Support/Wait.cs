using Testing;

namespace Kube.Client.Tests.Support;

/// <summary>Waiting for a condition, with a generous end.</summary>
public static class Wait
{
    public static CancellationToken Limit() => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    public static async Task UntilAsync(Func<bool> condition)
    {
        var limit = Limit();
        while (!condition())
        {
            limit.ThrowIfCancellationRequested();
            await Task.Delay(5, limit);
        }
    }

    /// <summary>Runs to the end of a task whose waits are all on the fake clock.</summary>
    public static async Task<T> DriveAsync<T>(this Task<T> task, FakeTimeProvider clock, TimeSpan step)
    {
        var limit = Limit();
        while (!task.IsCompleted)
        {
            limit.ThrowIfCancellationRequested();
            clock.Advance(step);
            await Task.WhenAny(task, Task.Delay(5, limit));
        }

        return await task;
    }
}
