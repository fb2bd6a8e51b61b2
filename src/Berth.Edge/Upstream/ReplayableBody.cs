using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>
/// A request's body that can be sent a second time: none, or one whose stated length is small enough to be kept. Others are streamed, as
/// their sender may wait for the answer's beginning before it goes on.
/// </summary>
internal sealed class ReplayableBody
{
    private readonly byte[]? _kept;

    private ReplayableBody(byte[]? kept, bool canRewind) => (_kept, CanRewind) = (kept, canRewind);

    /// <summary>Whether it can be sent again.</summary>
    public bool CanRewind { get; }

    /// <summary>Reads it if it is to be kept, and bounds it.</summary>
    public static async Task<(ReplayableBody Body, ConnectionError? Error)> ReadAsync(HttpContext context, UpstreamSettings settings)
    {
        var none = new ReplayableBody(null, canRewind: true);
        var length = context.Request.ContentLength;
        if (length > settings.MaximumBody)
        {
            return (none, UpstreamErrors.BodyTooLarge);
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = settings.MaximumBody;
        }

        if (!context.State().CanHaveBody || length == 0)
        {
            return (none, null);
        }

        if (length is null || length > settings.ReplayableBody)
        {
            return (new ReplayableBody(null, canRewind: false), null);
        }

        try
        {
            var kept = new byte[length.Value];
            await context.Request.Body.ReadExactlyAsync(kept, context.RequestAborted);
            return (new ReplayableBody(kept, canRewind: true), null);
        }
        catch (Exception error) when (error is IOException && !context.RequestAborted.IsCancellationRequested)
        {
            // Broken off, or too slow: BadHttpRequestException is one of these.
            return (none, UpstreamErrors.BadRequest);
        }
    }

    /// <summary>Makes the body what is to be sent, from its beginning.</summary>
    public void Rewind(HttpContext context)
    {
        if (_kept is not null)
        {
            context.Request.Body = new MemoryStream(_kept, writable: false);
        }
    }
}
