using System.Diagnostics;

namespace Testing;

/// <summary>Starts a process with a parent-death signal from a thread that stays.</summary>
/// <remarks>
/// The kernel sends the signal when the thread that started the process ends, and threads of the pool come and go: a server that was
/// started on one would be killed in the middle of a test.
/// </remarks>
internal static class TiedProcess
{
    public static Process Start(ProcessStartInfo info)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                var process = Process.Start(info)!;
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception error) when (!started.Task.IsCompleted)
            {
                started.SetException(error);
            }
            catch (InvalidOperationException)
            {
                // Disposed by its owner meanwhile.
            }
        })
        {
            IsBackground = true,
            Name = "tied process",
        };
        thread.Start();
        return started.Task.GetAwaiter().GetResult();
    }
}
