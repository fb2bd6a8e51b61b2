namespace Kube.Runtime.Tests.Fakes;

internal static class Wait
{
    /// <summary>Waits for a condition that nothing announces, such as a timer having been armed. The deadline is for a broken build, not
    /// for a slow one.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var deadline = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, "never happened: " + what);
            await Task.Yield();
        }
    }
}
