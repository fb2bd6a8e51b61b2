using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>Messages of the edge in the product's look: a page for people who navigate, a problem document for everybody else.</summary>
internal sealed class BerthEdgePages(PageLayout layout) : IEdgePages
{
    /// <inheritdoc/>
    public Task WriteAsync(HttpContext context, EdgeMessage message)
    {
        RequestNotes.Decided(context, message.Reason);

        // The canonical request is missing when the request was refused before it had one.
        var path = context.State().Canonical?.Path ?? context.Request.Path.Value ?? "";
        if (path == ConsentFlow.CallbackPath && ConsentForm.IsFor(context))
        {
            // The one address below it that people come to.
            return layout.WriteAsync(context, ToPage(message));
        }

        if (path.StartsWith(ManagerForm.Prefix, StringComparison.Ordinal))
        {
            return ManagerForm.WriteAsync(context, message);
        }

        return WantsPage(context) && !path.StartsWith("/api/", StringComparison.Ordinal)
            ? layout.WriteAsync(context, ToPage(message))
            : Problems.WriteAsync(context, new ProblemView
            {
                Type = $"urn:berth:problem:{message.Reason}",
                Title = message.Title,
                Status = message.Status,
                Detail = message.Detail,
                Reason = message.Reason,
                RequestId = context.TraceIdentifier,
                LoginUrl = message.Actions.FirstOrDefault(a => a.Label == EdgeMessages.SignInLabel)?.Url,
            });
    }

    /// <summary>A form's answer is read by a person too.</summary>
    public static bool WantsPage(HttpContext context) => RequestKinds.WantsHtml(context);

    private static Page ToPage(EdgeMessage message) => new()
    {
        Status = message.Status,
        Title = message.Title,
        Kind = "message",
        Body = Html.Of($"""
            <article class="card center">
            {Code(message.Status)}
            <h1>{message.Title}</h1>
            <p>{message.Detail}</p>
            <div class="actions">{Actions(message.Actions)}</div>
            </article>
            """),
    };

    private static Html Code(int status) => status >= 400 ? Html.Of($"<p class=\"code\" aria-hidden=\"true\">{status}</p>") : Html.Empty;

    private static Html Actions(ImmutableArray<EdgeAction> actions) => Html.Join(actions.Select((a, i) => a.Post
        ? Html.Of($"<form method=\"post\" action=\"{a.Url}\"><button class=\"primary\">{a.Label}</button></form>")
        : i == 0 ? Html.Of($"<a class=\"button primary\" href=\"{a.Url}\">{a.Label}</a>")
            : Html.Of($"<a class=\"button\" href=\"{a.Url}\">{a.Label}</a>")));
}
