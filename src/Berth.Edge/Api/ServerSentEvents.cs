using System.Text;

namespace Berth.Edge;

/// <summary>Writes a stream of server-sent events (WHATWG HTML, section 9.2).</summary>
internal sealed class ServerSentEvents(HttpContext context, BodyBytes bytes)
{
    /// <summary>Time between signs of life: below the 60 s after which common proxies close a silent response.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Sends the headers and how soon to come back after a loss.</summary>
    public async Task StartAsync()
    {
        var response = context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";

        // nginx buffers a response unless told not to.
        response.Headers["X-Accel-Buffering"] = "no";
        bytes.CountAnswer(context);
        await WriteAsync("retry: 2000\n\n").ConfigureAwait(false);
    }

    /// <summary>Sends an event.</summary>
    /// <param name="name">Its type.</param>
    /// <param name="data">Its data; may have several lines.</param>
    /// <param name="id">What the client sends back as Last-Event-ID; null for none.</param>
    public Task SendAsync(string name, string data, string? id = null)
    {
        var text = new StringBuilder(data.Length + 64);
        if (id is not null)
        {
            text.Append("id: ").Append(id).Append('\n');
        }

        text.Append("event: ").Append(name).Append('\n');
        foreach (var line in data.ReplaceLineEndings("\n").Split('\n'))
        {
            text.Append("data: ").Append(line).Append('\n');
        }

        return WriteAsync(text.Append('\n').ToString());
    }

    /// <summary>Sends a comment that clients ignore, so that neither side takes the silence for an end.</summary>
    public Task BeatAsync() => WriteAsync(": still here\n\n");

    private async Task WriteAsync(string text)
    {
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }
}
