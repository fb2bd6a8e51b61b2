using Kube.Client;

namespace Berth.Installed.Tests;

/// <summary>Waits for what a cluster does in its own time.</summary>
internal static class Wait
{
    public static async Task UntilAsync(string what, TimeSpan limit, Func<Task<bool>> condition)
    {
        using var end = new CancellationTokenSource(limit);
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception error) when (error is KubeException or HttpRequestException or InvalidOperationException)
            {
                last = error;
            }

            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, end.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"{what}: not within {limit.TotalSeconds} s", last);
            }
        }
    }
}
