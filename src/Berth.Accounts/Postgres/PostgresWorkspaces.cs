namespace Berth.Accounts;

/// <summary>History and usage of workspaces in PostgreSQL; written by the outbox.</summary>
internal sealed class PostgresWorkspaces(AccountsDatabase database, AccountsOutbox outbox) : IWorkspaceRecords, IUsageLedger
{
    /// <inheritdoc/>
    public void Record(WorkspaceRecord record) => outbox.Record(record);

    /// <inheritdoc/>
    public void Record(UsageSlice slice) => outbox.Record(slice);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<WorkspaceRecord>> ListAsync(
        PersonKey person, WorkspaceRecordQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return await database.ListAsync(
            """
            SELECT workspace_uid, event, workspace, template, kind, reason, at FROM berth.workspace_records
            WHERE issuer = $1 AND subject = $2 AND ($3 IS NULL OR workspace = $3) AND ($4 IS NULL OR at < $4)
            ORDER BY at DESC, event DESC, workspace_uid LIMIT $5
            """,
            () =>
            [
                Parameter.Text(person.Issuer), Parameter.Text(person.Subject), Parameter.Text(query.Workspace),
                Parameter.Time(query.Before), Parameter.Long(Math.Clamp(query.Limit, 1, 1000)),
            ],
            r => new WorkspaceRecord
            {
                WorkspaceUid = r.GetString(0),
                Event = r.GetString(1),
                Owner = person,
                Workspace = r.GetString(2),
                Template = r.IsDBNull(3) ? null : r.GetString(3),
                Kind = r.GetString(4),
                Reason = r.IsDBNull(5) ? null : r.GetString(5),
                At = r.GetFieldValue<DateTimeOffset>(6),
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UsageDay>> ListAsync(
        PersonKey person, DateOnly from, DateOnly to, CancellationToken cancellationToken) => await database.ListAsync(
            """
            SELECT day, workspace, sum(seconds)::bigint, count(*)::int FROM berth.usage
            WHERE issuer = $1 AND subject = $2 AND day BETWEEN $3 AND $4
            GROUP BY day, workspace ORDER BY day, workspace COLLATE "C"
            """,
            () => [Parameter.Text(person.Issuer), Parameter.Text(person.Subject), Parameter.Date(from), Parameter.Date(to)],
            r => new UsageDay(r.GetFieldValue<DateOnly>(0), r.GetString(1), r.GetInt64(2), r.GetInt32(3)),
            cancellationToken).ConfigureAwait(false);
}
