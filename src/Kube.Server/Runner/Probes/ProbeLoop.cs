using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Probes;

/// <summary>Makes one probe of one run of a container, again and again, until told to end.</summary>
internal sealed class ProbeLoop(ProbeShape probe, Func<ProbeShape, CancellationToken, Task<ProbeOutcome>> check, TimeProvider time)
{
    // Waiting a whole period (10 s by default) for a program that is up after 300 ms is most of what a person would wait for. Until the
    // first success, and in the first seconds only, a probe is therefore also made between the regular ones. Such a check can only bring
    // success forward: its failures are neither counted nor reported, so thresholds mean what they mean elsewhere.
    private static readonly TimeSpan EagerFor = TimeSpan.FromSeconds(15);

    private readonly ProbeTally _tally = new(probe.SuccessThreshold, probe.FailureThreshold);

    private bool MayBeEager => probe is { Kind: not ProbeKind.Liveness, SuccessThreshold: 1 };

    // An exec probe costs a process each time.
    private TimeSpan EagerStep => probe.Exec.Length > 0 ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromMilliseconds(50);

    /// <param name="failed">A counted failure: message, and whether it reached the threshold.</param>
    /// <param name="verdict">The verdict was reached (true ready, false not); called at changes only.</param>
    /// <param name="cancellationToken">The container ended.</param>
    public async Task RunAsync(Action<string, bool> failed, Action<bool> verdict, CancellationToken cancellationToken)
    {
        var begun = time.GetUtcNow();
        var first = true;
        if (probe.InitialDelay > TimeSpan.Zero)
        {
            await Task.Delay(probe.InitialDelay, time, cancellationToken);
        }

        var eagerUntil = begun + probe.InitialDelay + EagerFor;
        while (true)
        {
            var due = time.GetUtcNow() + probe.Period;
            var outcome = await OnceAsync(cancellationToken);
            var before = _tally.Verdict;
            // The very first check comes so early that its failure says nothing.
            var counts = outcome.Success || !first || !MayBeEager;
            first = false;
            var reached = counts && _tally.Add(outcome.Success);
            if (!outcome.Success && counts)
            {
                failed(outcome.Message, reached);
            }

            if (reached && _tally.Verdict != before)
            {
                verdict(outcome.Success);
            }

            if (probe.Kind == ProbeKind.Startup && _tally.Verdict is not null)
            {
                return;
            }

            while (MayBeEager && _tally.Verdict != true && time.GetUtcNow() < eagerUntil && time.GetUtcNow() + EagerStep < due)
            {
                await Task.Delay(EagerStep, time, cancellationToken);
                if ((await OnceAsync(cancellationToken)).Success)
                {
                    _tally.Add(success: true);
                    verdict(true);
                    if (probe.Kind == ProbeKind.Startup)
                    {
                        return;
                    }
                }
            }

            var rest = due - time.GetUtcNow();
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, time, cancellationToken);
            }
        }
    }

    private async Task<ProbeOutcome> OnceAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(probe.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await check(probe, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeOutcome(false, $"probe timed out after {probe.Timeout.TotalSeconds:0}s");
        }
    }
}
