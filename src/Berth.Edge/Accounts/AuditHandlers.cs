using Berth.Accounts;

namespace Berth.Edge;

/// <summary>The calls of the API about the audit log, for administrators.</summary>
internal sealed class AuditHandlers(IAccountStore accounts, AuditTrail audit, BodyBytes bytes)
{
    public async Task ExportAsync(HttpContext context, Caller caller)
    {
        Require(caller, "audit.export");
        var format = ApiRequest.Text(context, "format", 10) ?? "jsonl";
        if (format is not ("csv" or "jsonl"))
        {
            throw new ProblemException(400, "bad-query", "The query cannot be read", "Give 'format' once, as csv or jsonl.");
        }

        var range = new AuditRange { From = ApiRequest.Time(context, "from"), To = ApiRequest.Time(context, "to") };
        audit.Record(caller, "audit.export", $"audit?format={format}", "allowed");

        // The first page is read before anything is sent: a database that is away is then a problem document, not half a file.
        await using var entries = accounts.AuditLog.ReadAsync(range, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        var any = await entries.MoveNextAsync().ConfigureAwait(false);
        context.Response.ContentType = format == "csv" ? "text/csv; charset=utf-8; header=present" : "application/jsonl; charset=utf-8";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"audit.{format}\"";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        bytes.CountAnswer(context);
        var rest = RestAsync(entries, any);
        await (format == "csv" ? AuditExport.WriteCsvAsync(rest, context.Response.Body, context.RequestAborted)
            : AuditExport.WriteJsonLinesAsync(rest, context.Response.Body, context.RequestAborted)).ConfigureAwait(false);
    }

    public async Task VerifyAsync(HttpContext context, Caller caller)
    {
        Require(caller, "audit.verify");
        var sequence = ApiRequest.Number(context, "sequence", 1, int.MaxValue);
        var hash = ApiRequest.Text(context, "hash", 64);
        if (sequence is null != hash is null || hash is { } text && (text.Length != 64 || !text.All(char.IsAsciiHexDigit)))
        {
            throw new ProblemException(400, "bad-query", "The query cannot be read",
                "Give 'sequence' and 'hash' (64 hexadecimal digits) of a head that was noted earlier, or neither.");
        }

        var found = await accounts.AuditLog
            .VerifyAsync(hash is null ? null : new AuditAnchor(sequence!.Value, hash), context.RequestAborted)
            .ConfigureAwait(false);
        context.Response.ContentType = "application/json; charset=utf-8";
        var view = new AuditVerificationView(
            found.BrokenAt is null, found.Events, found.Head.Sequence, found.Head.Hash, found.BrokenAt, found.Reason);
        await StatedBody.WriteAsync(context, view, EdgeJson.Default.AuditVerificationView).ConfigureAwait(false);
    }

    private static async IAsyncEnumerable<AuditEntry> RestAsync(IAsyncEnumerator<AuditEntry> entries, bool any)
    {
        for (; any; any = await entries.MoveNextAsync().ConfigureAwait(false))
        {
            yield return entries.Current;
        }
    }

    private void Require(Caller caller, string action)
    {
        if (!caller.IsAdministrator)
        {
            audit.Record(caller, action, "audit", "refused");
            throw StepUpRequired.For(caller)
                ?? new ProblemException(403, "administrators-only", "For administrators only",
                    "Only administrators may read the audit log.");
        }
    }
}
