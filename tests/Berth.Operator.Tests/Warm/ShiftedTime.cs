namespace Berth.Operator.Tests;

/// <summary>The machine's clock, set forward as tests need it; timers run as ever.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shift;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _shift));

    internal void Advance(TimeSpan by) => Interlocked.Add(ref _shift, by.Ticks);
}
