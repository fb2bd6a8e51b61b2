using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Routes about people, for administrators; part of <see cref="ApiRoutes.All"/>.</summary>
internal static class PeopleRoutes
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        new("GET", "/api/people", "listPeople", "People who signed in or came with a token, last seen first; administrators only",
            "AccountList", [200, 400], static h => h.People.ListAsync)
        {
            Scope = TokenScopes.Admin,
            Query =
            [
                new("issuer", "string", "Only of this provider"), new("subject", "string", "Only with this subject"),
                new("email", "string", "Only with this e-mail address; upper and lower case are the same"),
                new("disabled", "boolean", "Only people who are disabled, or only those who are not"),
                new("before", "string", "Only people last seen before this time (RFC 3339)"),
                new("limit", "integer", "At most so many, 1 to 1000; 100 when absent"),
            ],
        },
        new("POST", "/api/people/disable", "disablePerson",
            "Keep a person out: sessions, tokens and what is open for them end on every replica; administrators only", "Account",
            [200, 400, 404, 409, 413, 415, 422], static h => h.People.DisableAsync)
        {
            Scope = TokenScopes.Admin,
            Body = "PersonKey",
        },
        new("POST", "/api/people/enable", "enablePerson", "Let them in again; sessions that ended stay over; administrators only",
            "Account", [200, 400, 404, 413, 415, 422], static h => h.People.EnableAsync)
        {
            Scope = TokenScopes.Admin,
            Body = "PersonKey",
        },
    ];
}

/// <summary>Lets administrators look people up, and keep them out.</summary>
internal sealed class PeopleHandlers(IAccountStore accounts, AuditTrail audit)
{
    /// <summary>Longest issuer, subject or address that is looked for: more than any provider makes.</summary>
    public const int LongestName = 1024;

    public async Task ListAsync(HttpContext context, Caller caller)
    {
        Require(caller, "person.list", "people");
        var found = await accounts.ListPeopleAsync(
            new PeopleQuery
            {
                Issuer = ApiRequest.Text(context, "issuer", LongestName),
                Subject = ApiRequest.Text(context, "subject", LongestName),
                Email = ApiRequest.Text(context, "email", LongestName),
                Disabled = context.Request.Query.ContainsKey("disabled") ? ApiRequest.Flag(context, "disabled") : null,
                Before = ApiRequest.Time(context, "before"),
                Limit = ApiRequest.Number(context, "limit", 1, PeopleQuery.MaximumLimit) ?? 100,
            },
            context.RequestAborted).ConfigureAwait(false);
        audit.Record(caller, "person.list", "people", "allowed");
        context.Response.ContentType = "application/json; charset=utf-8";
        await StatedBody.WriteAsync(context, new AccountListView([.. found.Select(AccountView.From)]), EdgeJson.Default.AccountListView)
            .ConfigureAwait(false);
    }

    public Task DisableAsync(HttpContext context, Caller caller) => SetAsync(context, caller, disabled: true);

    public Task EnableAsync(HttpContext context, Caller caller) => SetAsync(context, caller, disabled: false);

    private async Task SetAsync(HttpContext context, Caller caller, bool disabled)
    {
        var action = disabled ? "person.disable" : "person.enable";
        Require(caller, action, "people");
        var body = await ApiRequest.ReadAsync(context, EdgeJson.Default.PersonKeyBody, static () => new PersonKeyBody())
            .ConfigureAwait(false);
        var person = body.ToKey();
        var target = $"people/{person.Subject} of {person.Issuer}";
        if (disabled && person == new PersonKey(caller.Issuer, caller.Subject))
        {
            audit.Record(caller, action, target, "refused");
            throw new ProblemException(409, "own-account", "This is your own account",
                "Nobody can disable their own account: it may be the last one that can undo it. Ask another administrator.");
        }

        if (!await accounts.SetDisabledAsync(person, disabled, context.RequestAborted).ConfigureAwait(false)
            || await accounts.FindPersonAsync(person, context.RequestAborted).ConfigureAwait(false) is not { } now)
        {
            throw new ProblemException(404, "person-not-found", "There is no such person",
                "Nobody with this issuer and subject has ever signed in or come with a token. GET /api/people lists who has; both are "
                    + "compared letter by letter.");
        }

        audit.Record(caller, action, target, "allowed");
        context.Response.ContentType = "application/json; charset=utf-8";
        await StatedBody.WriteAsync(context, AccountView.From(now), EdgeJson.Default.AccountView).ConfigureAwait(false);
    }

    private void Require(Caller caller, string action, string target)
    {
        if (!caller.IsAdministrator)
        {
            audit.Record(caller, action, target, "refused");
            throw StepUpRequired.For(caller)
                ?? new ProblemException(403, "administrators-only", "For administrators only",
                    "Only administrators may see who has an account, and keep people out.");
        }
    }
}

/// <summary>Who is meant.</summary>
internal sealed record PersonKeyBody
{
    /// <summary>Issuer of the provider.</summary>
    public string? Issuer { get; init; }

    /// <summary>Subject there.</summary>
    public string? Subject { get; init; }

    /// <summary>The identity.</summary>
    /// <exception cref="ProblemException">Not a whole one.</exception>
    public PersonKey ToKey() => new(Checked("issuer", Issuer), Checked("subject", Subject));

    private static string Checked(string field, string? value) =>
        value is { Length: > 0 and <= PeopleHandlers.LongestName } && !value.Any(char.IsControl)
            ? value
            : throw ProblemException.Invalid(field,
                $"give it as a text of 1 to {PeopleHandlers.LongestName} characters, as GET /api/people shows it.");
}

/// <summary>A person as administrators see them.</summary>
internal sealed record AccountView(
    string Issuer, string Subject, string? Email, string? Name, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt, bool Disabled,
    DateTimeOffset? DisabledAt)
{
    public static AccountView From(Person person) => new(person.Key.Issuer, person.Key.Subject, person.Email, person.Name, person.CreatedAt,
        person.LastSeenAt, person.DisabledAt is not null, person.DisabledAt);
}

/// <summary>People, last seen first.</summary>
internal sealed record AccountListView(IReadOnlyList<AccountView> Items);
