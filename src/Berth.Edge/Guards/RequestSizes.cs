using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>How large requests may be. What a workspace may be sent is for the workspace to say; its headers pass through here.</summary>
internal static class RequestSizes
{
    /// <summary>
    /// Largest body of a request to the edge itself, bytes. Endpoints allow less and say so themselves (the API and forms: 64 KiB): a
    /// client that sends first and reads then gets their answer and keeps its connection. Beyond this, the connection ends. The API proxy
    /// has limits of its own.
    /// </summary>
    public const long MaximumOwnBody = 1024 * 1024;

    /// <summary>Largest total of names and values of headers, characters: what applications and other proxies commonly take.</summary>
    public const int MaximumHeaders = 32 * 1024;

    /// <summary>Most headers.</summary>
    public const int MaximumHeaderCount = 100;

    /// <summary>
    /// The server's own limits, above ours: between the two a person is told in words what is wrong, beyond them the connection ends with a
    /// bare 431.
    /// </summary>
    public const int ServerHeaders = 2 * MaximumHeaders;

    /// <summary>The server's own limit of headers.</summary>
    public const int ServerHeaderCount = 2 * MaximumHeaderCount;

    /// <summary>Whether the headers are more than the edge reads.</summary>
    public static bool HasTooManyHeaders(IHeaderDictionary headers)
    {
        var (count, total) = (0, 0);
        foreach (var (name, values) in headers)
        {
            foreach (var value in values)
            {
                count++;
                total += name.Length + (value?.Length ?? 0);
            }
        }

        return count > MaximumHeaderCount || total > MaximumHeaders;
    }

    /// <summary>
    /// Answers a request to the edge itself and sees to it that its body is bounded: refused at once where its length says that it is too
    /// long, else when that turns out.
    /// </summary>
    public static async Task RunAsync(HttpContext context, IEdgePages pages, Func<Task> answer)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = MaximumOwnBody;
        }

        if (context.Request.ContentLength > MaximumOwnBody)
        {
            await RefuseAsync(context, pages);
            return;
        }

        try
        {
            await answer();
        }
        catch (BadHttpRequestException error)
            when (error.StatusCode == StatusCodes.Status413PayloadTooLarge && !context.Response.HasStarted)
        {
            context.Response.Clear();
            await RefuseAsync(context, pages);
        }
    }

    private static Task RefuseAsync(HttpContext context, IEdgePages pages)
    {
        // What follows in the connection is the rest of the body.
        context.Response.Headers.Connection = "close";
        return pages.WriteAsync(context, EdgeMessages.BodyTooLarge());
    }
}
