namespace Berth.Operator.Tests;

/// <summary>Makes sequences from seeds, runs them, and finds the short core of one that fails.</summary>
internal static class Sequences
{
    private const int Shortest = 30;
    private const int Longest = 220;
    private const int MostTries = 1500;

    internal static List<Act> Make(int seed)
    {
        var random = new Random(seed);
        var length = random.Next(Shortest, Longest);
        return [.. Enumerable.Range(0, length).Select(_ => Act.Next(random))];
    }

    /// <summary>Runs a sequence; null when all is well, else what is wrong.</summary>
    internal static string? Run(IReadOnlyList<Act> acts, bool withoutRules, out int reconciles) =>
        Run(acts, withoutRules, out reconciles, out _);

    internal static string? Run(IReadOnlyList<Act> acts, bool withoutRules, out int reconciles, out IReadOnlyList<string> trace)
    {
        trace = [];
        // Continuations must run where the simulation brings an answer, not wherever a test framework would put them.
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        reconciles = 0;
        var at = 0;
        try
        {
            using var simulation = new Simulation(withoutRules);
            trace = simulation.Trace;
            for (; at < acts.Count; at++)
            {
                simulation.Do(acts[at]);
            }

            simulation.SettleAndCheck();
            reconciles = simulation.ReconcilesToConverge;
            return null;
        }
        catch (ViolationException e)
        {
            return e.Message;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Leaves out as much as can be without the failure going away: halves first, then single acts.</summary>
    internal static List<Act> Shrink(List<Act> failing, bool withoutRules)
    {
        var tries = 0;
        for (var size = failing.Count / 2; size > 0; size /= 2)
        {
            for (var start = 0; start + size <= failing.Count && tries < MostTries; tries++)
            {
                List<Act> shorter = [.. failing[..start], .. failing[(start + size)..]];
                if (Run(shorter, withoutRules, out _) is null)
                {
                    start += size;
                }
                else
                {
                    failing = shorter;
                }
            }
        }

        return failing;
    }
}
