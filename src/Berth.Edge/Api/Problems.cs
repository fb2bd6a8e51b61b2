namespace Berth.Edge;

/// <summary>Writes problem documents (RFC 9457).</summary>
internal static class Problems
{
    /// <summary>Media type of a problem.</summary>
    public const string ContentType = "application/problem+json";

    /// <summary>Answers with a problem.</summary>
    public static Task WriteAsync(HttpContext context, ProblemException problem)
    {
        var view = new ProblemView
        {
            Type = $"urn:berth:problem:{problem.Reason}",
            Title = problem.Title,
            Status = problem.Status,
            Detail = problem.Message,
            Reason = problem.Reason,
            Errors = problem.Fields.IsEmpty ? null : problem.Fields,
            RequestId = context.TraceIdentifier,
            LoginUrl = problem.LoginUrl,
        };
        if (problem.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString();
        }

        if (problem.Challenge is not null)
        {
            context.Response.Headers.WWWAuthenticate = problem.Challenge;
        }

        return WriteAsync(context, view);
    }

    /// <summary>Answers with a problem.</summary>
    public static async Task WriteAsync(HttpContext context, ProblemView problem)
    {
        RequestNotes.Decided(context, problem.Reason);
        var response = context.Response;
        response.StatusCode = problem.Status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        await StatedBody.WriteAsync(context, problem, EdgeJson.Default.ProblemView).ConfigureAwait(false);
    }
}
