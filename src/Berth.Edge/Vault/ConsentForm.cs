using Berth.Accounts;
using Microsoft.Net.Http.Headers;

namespace Berth.Edge;

/// <summary>
/// How a consent ends before a person: a page that says what happened and what to do next. A program that asks the same address gets JSON
/// (<see cref="ManagerForm"/>), with the same statuses.
/// </summary>
internal sealed class ConsentForm(PageLayout layout) : ErrorForm
{
    private const string Json = "application/json";

    /// <inheritdoc/>
    public override bool LogsText => false;

    /// <summary>Whether the answer should be a page: a navigation that would rather have HTML than JSON.</summary>
    public static bool IsFor(HttpContext context) => RequestKinds.WantsHtml(context)
        && MediaTypeHeaderValue.TryParseList(context.Request.Headers.Accept, out var accepted)
        && Quality(accepted, "text/html") > Quality(accepted, Json);

    /// <summary>Says that the consent was given.</summary>
    public Task WriteStoredAsync(HttpContext context, StoredToken stored, string provider)
    {
        var purpose = stored.Purpose.Length > 0 ? Html.Of($" for “{stored.Purpose}”") : Html.Empty;
        return WriteAsync(context, 200, "Connected", Html.Of($"""
            <p>What you allowed at {provider} is stored as your connection “{stored.Connection}”{purpose}. Programs that you run here
            can use it; none of them sees your password.</p>
            <p>You can close this page and go back to the program that sent you here. If it asks for the id of the stored token:
            <code>{stored.Id.ToString()}</code></p>
            """), "/connections?connection=" + stored.Connection);
    }

    /// <inheritdoc/>
    public override Task WriteNotAuthenticatedAsync(HttpContext context, string operation)
    {
        var error = ManagerErrors.NotAuthenticated;
        RequestNotes.Decided(context, error.Code);

        // The consent is not used up: whoever signs in and opens its address again within its ten minutes goes on.
        return layout.WriteAsync(context, new Page
        {
            Status = error.Status,
            Title = "Sign in first",
            Kind = "message",
            Body = Html.Of($"""
                <article class="card center"><h1>Sign in first</h1>
                <p>You are not signed in here in this browser, so nobody knows for whom the consent is. Nothing was stored.</p>
                <p>Sign in, then open the address that the program gave you once more. It is good for ten minutes.</p>
                <div class="actions"><a class="button primary" href="/login?return=%2Fconnections">Sign in</a></div></article>
                """),
        });
    }

    /// <inheritdoc/>
    public override Task WriteUnavailableAsync(HttpContext context, string operation, AccountsUnavailableException error) =>
        WriteAsync(context, operation, ManagerErrors.VaultUnavailable);

    /// <inheritdoc/>
    public override Task WriteAsync(HttpContext context, string operation, ProblemException problem) => WriteAsync(
        context, operation, new ConnectionError(problem.Reason, problem.Status, problem.Message) { RetryAfter = problem.RetryAfter });

    /// <inheritdoc/>
    public override Task WriteAsync(HttpContext context, string operation, ConnectionError error)
    {
        RequestNotes.Decided(context, error.Code);
        if (error.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, 3600)).ToString();
        }

        return WriteAsync(context, error.Status, "Not connected", Html.Of($"""
            <p>{error.Message}</p>
            <p>To try again, begin anew in the program that sent you here, or on the page of your connections.</p>
            <p class="quiet small">In the program's words: <code>{error.Code}</code></p>
            """), ConnectionPages.Path);
    }

    private Task WriteAsync(HttpContext context, int status, string title, Html text, string connections) =>
        layout.WriteAsync(context, new Page
        {
            Status = status,
            Title = title,
            Kind = "message",
            Body = Html.Of($"""
                <article class="card center"><h1>{title}</h1>{text}
                <div class="actions"><a class="button" href="{connections}">Your connections</a></div></article>
                """),
        });

    private static double Quality(IList<MediaTypeHeaderValue> accepted, string type) => accepted
        .Where(a => a.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase)).Select(a => a.Quality ?? 1).DefaultIfEmpty(0).Max();
}
