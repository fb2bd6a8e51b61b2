using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Writes what people do to the audit log and, as one line each, to the program's log.</summary>
internal sealed partial class AuditTrail(IAccountStore accounts, CurrentRequest current, EdgeMetrics metrics, TimeProvider clock,
    ILogger<AuditTrail> logger)
{
    /// <summary>Records an action; never waits and never fails.</summary>
    /// <param name="caller">Who; null where that is not known.</param>
    /// <param name="action">What.</param>
    /// <param name="target">Of what.</param>
    /// <param name="outcome">allowed or refused.</param>
    /// <param name="count">False for what was counted already, one by one.</param>
    public void Record(Caller? caller, string action, string? target, string outcome, bool count = true)
    {
        var request = current.Context?.TraceIdentifier;
        accounts.Audit(new AuditEvent
        {
            At = clock.GetUtcNow(),
            Actor = caller is null ? null : new PersonKey(caller.Issuer, caller.Subject),
            Action = action,
            Target = target,
            Outcome = outcome,
            RequestId = request,
        });
        if (count)
        {
            metrics.Acted(action, outcome);
        }

        LogAudit(action, target, outcome, caller?.Subject, request);
    }

    [LoggerMessage(5120, LogLevel.Information, "{Action} on {Target}: {Outcome} (by {Subject}, request {RequestId}).")]
    private partial void LogAudit(string action, string? target, string outcome, string? subject, string? requestId);
}
