namespace Berth.Edge;

/// <summary>
/// Refusals for the audit log, of which anybody can cause as many as they like: the first of a sort is written at once, those that follow
/// within a minute as one event with their number. At most <see cref="MaximumKinds"/> sorts a minute; what is beyond is one sort together.
/// </summary>
internal sealed class RefusalLedger : IDisposable
{
    /// <summary>Most sorts in a minute: with two events each, no flood writes more.</summary>
    public const int MaximumKinds = 100;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly AuditTrail _audit;
    private readonly EdgeMetrics _metrics;
    private readonly ITimer _timer;
    private Dictionary<(string Action, string Target, string? Subject), (Caller? Caller, int More)> _seen = [];

    public RefusalLedger(AuditTrail audit, EdgeMetrics metrics, TimeProvider clock)
    {
        (_audit, _metrics) = (audit, metrics);
        _timer = clock.CreateTimer(_ => Flush(), null, Window, Window);
    }

    /// <summary>Notes a refusal.</summary>
    /// <param name="caller">Who was refused; null where that is not known.</param>
    /// <param name="action">What they wanted, as in the audit log.</param>
    /// <param name="target">Of what, and why not; of few values.</param>
    public void Note(Caller? caller, string action, string target)
    {
        lock (_gate)
        {
            var key = (action, target, caller is null ? null : $"{caller.Issuer}\0{caller.Subject}");
            if (!_seen.ContainsKey(key) && _seen.Count >= MaximumKinds)
            {
                (caller, key) = (null, (action, "others", null));
            }

            if (_seen.TryGetValue(key, out var known))
            {
                _seen[key] = known with { More = known.More + 1 };
                _metrics.Acted(action, "refused");
                return;
            }

            _seen[key] = (caller, 0);
            target = key.Item2;
        }

        _audit.Record(caller, action, target, "refused");
    }

    /// <summary>Ends the minute: writes what was only counted.</summary>
    public void Flush()
    {
        Dictionary<(string Action, string Target, string? Subject), (Caller? Caller, int More)> seen;
        lock (_gate)
        {
            (seen, _seen) = (_seen, []);
        }

        foreach (var (key, (caller, more)) in seen)
        {
            if (more > 0)
            {
                _audit.Record(caller, key.Action, $"{key.Target} ({more} more)", "refused", count: false);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }
}
