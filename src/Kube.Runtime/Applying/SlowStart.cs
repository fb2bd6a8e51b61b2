namespace Kube.Runtime;

/// <summary>Doing many similar things in growing batches (1, 2, 4, 8 ...), so that a quota or a policy that refuses all of them is asked
/// once and not a thousand times.</summary>
public static class SlowStart
{
    /// <summary>Runs <paramref name="action"/> for 0 to <paramref name="count"/> - 1; after a batch with a failure no further batch
    /// begins.</summary>
    /// <returns>How many succeeded, and the first failure.</returns>
    public static async Task<(int Succeeded, Exception? Error)> RunAsync(
        int count, Func<int, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentNullException.ThrowIfNull(action);
        var succeeded = 0;
        for (var (start, size) = (0, 1); start < count; (start, size) = (start + size, size * 2))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var batch = Enumerable.Range(start, Math.Min(size, count - start)).Select(i => RunOneAsync(i, action, cancellationToken));
            var errors = await Task.WhenAll(batch).ConfigureAwait(false);
            succeeded += errors.Count(e => e is null);
            if (Array.Find(errors, e => e is not null) is { } error)
            {
                return (succeeded, error);
            }
        }

        return (succeeded, null);
    }

    private static async Task<Exception?> RunOneAsync(int index, Func<int, CancellationToken, Task> action,
        CancellationToken cancellationToken)
    {
        try
        {
            await action(index, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return e;
        }
    }
}
