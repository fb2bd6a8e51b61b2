using Berth.Resources;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>Names of what administrators do, as audit records and events have them.</summary>
internal static class AuditActions
{
    internal const string ForceStop = "AuditForceStop";
    internal const string Freeze = "AuditFreeze";
    internal const string Unfreeze = "AuditUnfreeze";
    internal const string LegalHold = "AuditLegalHold";
    internal const string LegalHoldEnd = "AuditLegalHoldEnd";
}

/// <summary>One thing that an administrator decided and the operator did.</summary>
internal sealed record AuditRecord(UserWorkspace Workspace, string Action, string By, string Why, string Result)
{
    internal static AuditRecord Of(UserWorkspace workspace, string action, string result) => new(
        workspace, action, Text(workspace.Spec.Administration?.By), Text(workspace.Spec.Administration?.Reason), result);

    private static string Text(string? text) => string.IsNullOrWhiteSpace(text) ? "not said" : text.Trim();
}

/// <summary>Keeps the record: a structured line in the category <c>Berth.Audit</c>, and an event on the workspace.</summary>
internal sealed partial class AuditLog(IEventRecorder events, ILoggerFactory loggers, TimeProvider time)
{
    internal const string Category = "Berth.Audit";

    private readonly ILogger _logger = loggers.CreateLogger(Category);

    internal void Write(AuditRecord record)
    {
        var workspace = record.Workspace;
        var owner = workspace.Spec.Owner;
        var hash = owner.Issuer.Length == 0 || owner.Subject.Length == 0 ? "none" : WorkspaceNames.OwnerHash(owner.Issuer, owner.Subject);
        var name = $"{workspace.Metadata.Namespace}/{workspace.Metadata.Name}";
        Audited(_logger, record.Action, name, record.By, record.Why, record.Result, hash, time.GetUtcNow());
        events.Normal(workspace, record.Action, $"{record.Result} Decided by: {record.By}. Why: {record.Why}.");
    }

    [LoggerMessage(2120, LogLevel.Information,
        "{Action} of {Workspace} decided by {By}, because: {Why}. {Result} Owner {Owner}, at {At}")]
    private static partial void Audited(
        ILogger logger, string action, string workspace, string by, string why, string result, string owner, DateTimeOffset at);
}
