using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>The messages without any dress: works with no script, no style sheet and no other file.</summary>
internal sealed class PlainEdgePages : IEdgePages
{
    /// <inheritdoc/>
    public Task WriteAsync(HttpContext context, EdgeMessage message)
    {
        var response = context.Response;
        response.StatusCode = message.Status;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        return RequestKinds.WantsHtml(context) && !RequestKinds.IsUpgrade(context)
            ? WritePageAsync(context, message) : WriteProblemAsync(context, message);
    }

    private static Task WriteProblemAsync(HttpContext context, EdgeMessage message)
    {
        context.Response.ContentType = "application/problem+json";
        var problem = new Dictionary<string, object>
        {
            ["type"] = $"urn:berth:problem:{message.Reason}",
            ["title"] = message.Title,
            ["status"] = message.Status,
            ["detail"] = message.Detail,
            ["reason"] = message.Reason,
            ["requestId"] = context.TraceIdentifier,
        };
        if (message.Actions.FirstOrDefault(a => a.Label == EdgeMessages.SignInLabel) is { } signIn)
        {
            problem["loginUrl"] = signIn.Url;
        }

        return context.Response.WriteAsync(JsonSerializer.Serialize(problem), context.RequestAborted);
    }

    private static Task WritePageAsync(HttpContext context, EdgeMessage message)
    {
        var headers = context.Response.Headers;
        context.Response.ContentType = "text/html; charset=utf-8";
        headers.ContentSecurityPolicy = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
        // Not no-referrer: that would make the Origin of the forms "null", which the same-origin check refuses.
        headers["Referrer-Policy"] = "same-origin";
        var html = HtmlEncoder.Default;
        var page = new StringBuilder();
        page.Append(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>")
            .Append(html.Encode(message.Title)).Append("</title></head><body><main><h1>").Append(html.Encode(message.Title))
                .Append("</h1><p>")
            .Append(html.Encode(message.Detail)).Append("</p>");
        foreach (var action in message.Actions)
        {
            var url = html.Encode(action.Url);
            var label = html.Encode(action.Label);
            page.Append(action.Post
                ? $"<form method=\"post\" action=\"{url}\"><button>{label}</button></form>"
                : $"<p><a href=\"{url}\">{label}</a></p>");
        }

        page.Append("<p><small>Request ").Append(html.Encode(context.TraceIdentifier)).Append("</small></p></main></body></html>");
        return context.Response.WriteAsync(page.ToString(), context.RequestAborted);
    }
}
