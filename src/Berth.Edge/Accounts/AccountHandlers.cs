using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// The calls of the API about accounts. Every one passes the caller's own identity to the store, which filters by it: there is no
/// parameter that names another person.
/// </summary>
internal sealed class AccountHandlers(
    IAccountStore accounts, PersonalEnvironment environment, PersonalTokenService tokens, AuditTrail audit, TimeProvider clock)
{
    public async Task GetPreferencesAsync(HttpContext context, Caller caller)
    {
        var found = await accounts.Preferences.FindAsync(Key(caller), context.RequestAborted).ConfigureAwait(false);
        await WritePreferencesAsync(context, found).ConfigureAwait(false);
    }

    public async Task PutPreferencesAsync(HttpContext context, Caller caller)
    {
        var body = await ApiRequest.ReadAsync(context, EdgeJson.Default.PreferencesBody, static () => new PreferencesBody())
            .ConfigureAwait(false);
        var wish = body.ToWish();
        var problems = PreferenceRules.Check(wish).ToImmutableDictionary();
        foreach (var name in wish.Environment.Keys.Take(PreferenceRules.MaximumEntries).Where(EnvironmentRules.IsReserved))
        {
            problems = problems.SetItem($"environment.{name}", EnvironmentRules.Problem(name, "")!);
        }

        if (!problems.IsEmpty)
        {
            throw ProblemException.Invalid(problems);
        }

        var outcome = await accounts.Preferences.PutAsync(Key(caller), wish, ApiRequest.ExpectedVersion(context), context.RequestAborted)
            .ConfigureAwait(false);
        ThrowIfChanged(outcome);
        await environment.SpreadAsync(caller, context.RequestAborted).ConfigureAwait(false);
        await WritePreferencesAsync(context, new Preferences(wish, outcome.Version, clock.GetUtcNow())).ConfigureAwait(false);
    }

    public async Task DeletePreferencesAsync(HttpContext context, Caller caller)
    {
        ThrowIfChanged(await accounts.Preferences.DeleteAsync(Key(caller), ApiRequest.ExpectedVersion(context), context.RequestAborted)
            .ConfigureAwait(false));
        await environment.SpreadAsync(caller, context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = 204;
    }

    public async Task ListDataAsync(HttpContext context, Caller caller)
    {
        var found = await accounts.UserData.ListAsync(Key(caller), context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, EdgeJson.Default.DatumListView,
            new DatumListView([.. found.Select(d => new DatumHeadView(d.Key, Tag(d.Version), d.UpdatedAt))])).ConfigureAwait(false);
    }

    public async Task GetDatumAsync(HttpContext context, Caller caller)
    {
        var found = await accounts.UserData.FindAsync(Key(caller), DataKey(context), context.RequestAborted).ConfigureAwait(false)
            ?? throw NoDatum();
        context.Response.Headers.ETag = Tag(found.Version);
        if (context.Request.Headers.IfNoneMatch == Tag(found.Version))
        {
            context.Response.StatusCode = 304;
            return;
        }

        await WriteAsync(context, EdgeJson.Default.JsonElement, found.Value).ConfigureAwait(false);
    }

    public async Task PutDatumAsync(HttpContext context, Caller caller)
    {
        var key = DataKey(context);
        if (!UserDataRules.IsKey(key))
        {
            throw ProblemException.Invalid("key", "use 1 to 64 lower-case letters, digits, dots, dashes and underscores, a letter or digit "
                + "first.");
        }

        var value = await ApiRequest.ReadElementAsync(context, UserDataRules.MaximumDepth).ConfigureAwait(false);
        if (UserDataRules.ProblemOf(value) is { } problem)
        {
            throw ProblemException.Invalid("value", problem);
        }

        UserDataOutcome outcome;
        try
        {
            outcome = await accounts.UserData.PutAsync(Key(caller), key, value, ApiRequest.ExpectedVersion(context), context.RequestAborted)
                .ConfigureAwait(false);
        }
        catch (ArgumentException error)
        {
            throw ProblemException.Invalid("value", $"{error.Message.Split(" (Parameter", 2)[0]}");
        }

        if (outcome.Result == UserDataResult.TooMany)
        {
            throw new ProblemException(409, "too-many-documents", "You have as many documents as you may",
                $"A person has at most {UserDataRules.MaximumKeys} documents. Delete one you no longer need.");
        }

        ThrowIfChanged(new WriteOutcome(outcome.Result == UserDataResult.Written, outcome.Version));
        context.Response.Headers.ETag = Tag(outcome.Version);
        context.Response.StatusCode = 204;
    }

    public async Task DeleteDatumAsync(HttpContext context, Caller caller)
    {
        var key = DataKey(context);
        if (UserDataRules.IsKey(key))
        {
            ThrowIfChanged(await accounts.UserData
                .DeleteAsync(Key(caller), key, ApiRequest.ExpectedVersion(context), context.RequestAborted)
                .ConfigureAwait(false));
        }

        context.Response.StatusCode = 204;
    }

    public async Task HistoryAsync(HttpContext context, Caller caller)
    {
        var query = new WorkspaceRecordQuery
        {
            Workspace = ApiRequest.Text(context, "workspace", 63),
            Before = ApiRequest.Time(context, "before"),
            Limit = ApiRequest.Number(context, "limit", 1, 1000) ?? 100,
        };
        var found = await accounts.WorkspaceRecords.ListAsync(Key(caller), query, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, EdgeJson.Default.HistoryView,
            new HistoryView([.. found.Select(r => new HistoryItemView(r.Workspace, r.Kind, r.Reason, r.Template, r.At))]))
            .ConfigureAwait(false);
    }

    public async Task UsageAsync(HttpContext context, Caller caller)
    {
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var to = ApiRequest.Day(context, "to") ?? today;
        var from = ApiRequest.Day(context, "from") ?? new DateOnly(to.Year, to.Month, 1);
        if (from > to || to.DayNumber - from.DayNumber > 366)
        {
            throw new ProblemException(400, "bad-query", "The query cannot be read",
                "Give 'from' no later than 'to', at most 366 days before.");
        }

        var found = await accounts.Usage.ListAsync(Key(caller), from, to, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, EdgeJson.Default.UsageView, new UsageView(from, to, found.Sum(u => u.Seconds),
            [.. found.Select(u => new UsageItemView(u.Day, u.Workspace, u.Seconds, u.Runs))])).ConfigureAwait(false);
    }

    public async Task ListSessionsAsync(HttpContext context, Caller caller)
    {
        var found = await accounts.ListSessionsAsync(Key(caller), context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, EdgeJson.Default.SessionListView, new SessionListView(
        [
            .. found.Select(s => new SessionView
            {
                Id = s.Id,
                Device = s.Device,
                Current = s.Id == caller.SessionId,
                CreatedAt = s.CreatedAt,
                LastSeenAt = s.LastSeenAt,
                ExpiresAt = s.ExpiresAt,
                IdleExpiresAt = s.IdleExpiresAt,
                Workspace = s.Workspace,
            }),
        ])).ConfigureAwait(false);
    }

    public async Task EndSessionAsync(HttpContext context, Caller caller)
    {
        var id = (string)context.Request.RouteValues["session"]!;
        var mine = await accounts.ListSessionsAsync(Key(caller), context.RequestAborted).ConfigureAwait(false);
        var session = mine.FirstOrDefault(s => s.Id == id)
            ?? throw new ProblemException(404, "session-not-found", "No such session",
                "You have no such session. GET /api/me/sessions lists yours.");
        await accounts.RevokeSessionAsync(session.Id, session.ExpiresAt, context.RequestAborted).ConfigureAwait(false);
        audit.Record(caller, "session.end", $"sessions/{session.Id}", "allowed");
        context.Response.StatusCode = 204;
    }

    public async Task EndAllSessionsAsync(HttpContext context, Caller caller)
    {
        // Tokens first: when that fails the session is still there to try again with.
        if (ApiRequest.Flag(context, "tokens"))
        {
            await tokens.RevokeAllAsync(caller, context.RequestAborted).ConfigureAwait(false);
        }

        await accounts.RevokeAllSessionsAsync(Key(caller), context.RequestAborted).ConfigureAwait(false);
        audit.Record(caller, "session.end-all", "sessions", "allowed");
        context.Response.StatusCode = 204;
    }

    private static PersonKey Key(Caller caller) => new(caller.Issuer, caller.Subject);

    private static string DataKey(HttpContext context) => (string)context.Request.RouteValues["key"]!;

    private static string Tag(long version) => $"\"{version}\"";

    private static ProblemException NoDatum() => new(404, "document-not-found", "No such document",
        "You have no document with this key. GET /api/me/data lists yours.");

    private static void ThrowIfChanged(WriteOutcome outcome)
    {
        if (!outcome.Written)
        {
            throw new ProblemException(412, "changed-meanwhile", "It has been changed meanwhile",
                outcome.Version == 0 ? "There is none any more, or not yet. Read it again before you change it."
                    : "There is another version than the one you have seen. Read it again before you change it.");
        }
    }

    private static Task WritePreferencesAsync(HttpContext context, Preferences? preferences)
    {
        context.Response.Headers.ETag = Tag(preferences?.Version ?? 0);
        return WriteAsync(context, EdgeJson.Default.PreferencesView, PreferencesView.From(preferences));
    }

    private static Task WriteAsync<T>(HttpContext context, JsonTypeInfo<T> type, T value)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return StatedBody.WriteAsync(context, value, type);
    }
}
