namespace Kube.Runtime.Tests;

public sealed class WatchHealthTests
{
    private readonly ManualClock _time = new();

    [Fact]
    public void FailuresInARow_CountFromTheFirst_UntilSomethingComesThrough()
    {
        var health = new WatchHealth(_time);
        Assert.Equal(TimeSpan.Zero, health.BrokenFor);
        for (var i = 0; i < 5; i++)
        {
            health.Failed();
            _time.Now += TimeSpan.FromSeconds(30);
        }

        Assert.Equal(TimeSpan.FromSeconds(150), health.BrokenFor);
        health.Heard();
        Assert.Equal(TimeSpan.Zero, health.BrokenFor);
        Assert.Equal(_time.Now, health.LastHeard);
    }

    [Fact]
    public void OneFailure_ThenSilence_IsAWatchThatWorks()
    {
        var health = new WatchHealth(_time);
        health.Failed();
        _time.Now += WatchHealth.Streak;
        Assert.Equal(TimeSpan.Zero, health.BrokenFor);

        // A later one begins a new count.
        health.Failed();
        _time.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(TimeSpan.FromSeconds(1), health.BrokenFor);
    }

    private sealed class ManualClock : TimeProvider
    {
        internal DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
