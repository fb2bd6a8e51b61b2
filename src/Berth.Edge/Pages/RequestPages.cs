using System.Text.Json;

namespace Berth.Edge;

/// <summary>The page on which administrators look up why a request was answered as it was.</summary>
internal sealed class RequestPages(PageLayout layout, RequestHandlers requests)
{
    /// <summary>Path of the page.</summary>
    public const string Path = "/requests";

    /// <summary>The form, and what is known of the request it names.</summary>
    public Task ShowAsync(HttpContext context, Caller caller)
    {
        if (!QueryParameters.TrySingle(context.Request.Query, "id", 40, out var id))
        {
            throw new ProblemException(400, "bad-query", "The query cannot be read", "Give 'id' once.");
        }

        Html found = Html.Empty;
        var status = 200;
        try
        {
            found = id is null && caller.IsAdministrator ? Html.Empty : Table(requests.Explain(caller, id?.Trim() ?? ""));
        }
        catch (ProblemException problem) when (problem.Status == 404)
        {
            (status, found) = (404, Html.Of($"<p>{problem.Message}</p>"));
        }

        return layout.WriteAsync(context, new Page
        {
            Status = status,
            Title = "Why",
            Body = Html.Of($"""
                <article class="card"><h1>Why was a request answered as it was?</h1>
                <form method="get" action="{Path}"><label>Request <input name="id" value="{id ?? ""}" maxlength="40" required></label>
                <button class="primary">Look it up</button></form>
                {found}</article>
                """),
        });
    }

    private static Html Table(RequestView view) => Html.Of($"<table>{Html.Join(
        JsonSerializer.SerializeToElement(view, EdgeJson.Default.RequestView).EnumerateObject()
            .Select(p => Html.Of($"<tr><th scope=\"row\">{p.Name}</th><td>{p.Value.ToString()}</td></tr>")))}</table>");
}
