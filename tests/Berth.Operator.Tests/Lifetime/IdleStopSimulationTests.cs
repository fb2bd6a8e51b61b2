namespace Berth.Operator.Tests;

/// <summary>
/// No workspace is stopped that was used within the last five sixths of its idle time, whatever is cut off, late, or off by a minute.
/// </summary>
public sealed class IdleStopSimulationTests
{
    [Fact]
    public void RandomTroubles_NeverStopWhatIsUsed_AndStopWhatIsNot()
    {
        var trials = int.TryParse(Environment.GetEnvironmentVariable("BERTH_TEST_SIMULATIONS"), out var wished) ? wished : 1000;
        var violations = new System.Collections.Concurrent.ConcurrentBag<string>();
        var stopped = 0;
        Parallel.For(0, trials, new ParallelOptions { MaxDegreeOfParallelism = 2 }, seed =>
        {
            var simulation = new IdleStopSimulation(seed);
            simulation.Run();
            if (simulation.Violation is { } violation)
            {
                violations.Add($"seed {seed}: {violation}");
            }

            if (simulation.StoppedAt is not null)
            {
                Interlocked.Increment(ref stopped);
            }
        });
        Assert.True(violations.IsEmpty, $"{violations.Count} of {trials}: "
            + $"{string.Join("; ", violations.Order(StringComparer.Ordinal).Take(5))}");

        // Else it would be safe for the wrong reason.
        Assert.True(stopped > trials / 3, $"Only {stopped} of {trials} were stopped.");
    }
}
