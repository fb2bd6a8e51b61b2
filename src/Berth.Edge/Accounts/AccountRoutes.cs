namespace Berth.Edge;

/// <summary>Routes about accounts; part of <see cref="ApiRoutes.All"/>.</summary>
internal static class AccountRoutes
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        new("GET", "/api/me/preferences", "getPreferences", "What your new workspaces are made with; empty when you have not said",
            "Preferences", [200], static h => h.Accounts.GetPreferencesAsync),
        new("PUT", "/api/me/preferences", "putPreferences", "Replace them: template, parameters, environment", "Preferences",
            [200, 400, 412, 413, 415, 422], static h => h.Accounts.PutPreferencesAsync) { Body = "PreferencesBody", IfMatch = true },
        new("DELETE", "/api/me/preferences", "deletePreferences", "Forget them", null, [204, 400, 412],
            static h => h.Accounts.DeletePreferencesAsync) { IfMatch = true },
        new("GET", "/api/me/data", "listData", "Your documents, without their values", "DatumList", [200],
            static h => h.Accounts.ListDataAsync),
        new("GET", "/api/me/data/{key}", "getDatum", "One document, as it is", "Datum", [200, 304, 404],
            static h => h.Accounts.GetDatumAsync),
        new("PUT", "/api/me/data/{key}", "putDatum",
            "Keep any JSON of up to 64 KiB under a key; with If-None-Match: * only when there is none yet", null,
            [204, 400, 409, 412, 413, 415, 422], static h => h.Accounts.PutDatumAsync) { Body = "Datum", IfMatch = true },
        new("DELETE", "/api/me/data/{key}", "deleteDatum", "Remove a document; one that is not there is no error", null, [204, 400, 412],
            static h => h.Accounts.DeleteDatumAsync) { IfMatch = true },
        new("GET", "/api/me/history", "listHistory", "When your workspaces started and stopped, and why; newest first",
            "History", [200, 400],
            static h => h.Accounts.HistoryAsync)
        {
            Query =
            [
                new("workspace", "string", "Only of this workspace"), new("before", "string", "Only before this time (RFC 3339)"),
                new("limit", "integer", "At most so many, 1 to 1000; 100 when absent"),
            ],
        },
        new("GET", "/api/me/usage", "getUsage", "How long your workspaces ran, by day (UTC)", "Usage", [200, 400],
            static h => h.Accounts.UsageAsync)
        {
            Query = [new("from", "string", "First day; the month's first when absent"), new("to", "string", "Last day; today when absent")],
        },
        new("GET", "/api/me/sessions", "listSessions", "Where you are signed in", "SessionList", [200],
            static h => h.Accounts.ListSessionsAsync),
        new("DELETE", "/api/me/sessions", "endAllSessions",
            "Sign out everywhere, here too; personal access tokens go on unless tokens=true",
            null, [204, 400], static h => h.Accounts.EndAllSessionsAsync)
        {
            Query = [new("tokens", "boolean", "Revoke all personal access tokens too")],
        },
        new("DELETE", "/api/me/sessions/{session}", "endSession", "Sign out there", null, [204, 404],
            static h => h.Accounts.EndSessionAsync),
        new("GET", "/api/audit", "exportAudit", "The audit log as a file; administrators only", "File", [200, 400],
            static h => h.Audit.ExportAsync)
        {
            Scope = TokenScopes.Admin,
            Query =
            [
                new("format", "string", "csv, or jsonl (the default)"), new("from", "string", "Events of this time or later (RFC 3339)"),
                new("to", "string", "Events before this time (RFC 3339)"),
            ],
        },
        new("GET", "/api/audit/verification", "verifyAudit", "Compute the audit log's chain anew; administrators only", "AuditVerification",
            [200, 400], static h => h.Audit.VerifyAsync)
        {
            Scope = TokenScopes.Admin,
            Query = [new("sequence", "integer", "Of a head noted earlier"), new("hash", "string", "Of the same head")],
        },
    ];
}
