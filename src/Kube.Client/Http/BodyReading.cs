namespace Kube.Client.Http;

/// <summary>Reads bodies with a bound.</summary>
internal static class BodyReading
{
    /// <summary>At most <paramref name="max"/> bytes; the rest is left unread.</summary>
    public static async Task<byte[]> ReadUpToAsync(HttpResponseMessage response, int max, CancellationToken cancellationToken)
    {
        var (body, _) = await ReadAsync(response, max, cancellationToken);
        return body;
    }

    /// <summary>The whole body.</summary>
    /// <exception cref="KubeException">It is larger than <paramref name="max"/>.</exception>
    public static async Task<byte[]> ReadAllAsync(HttpResponseMessage response, int max, CancellationToken cancellationToken)
    {
        var (body, more) = await ReadAsync(response, max, cancellationToken);
        return more
            ? throw new KubeException($"The answer is larger than {max} bytes; ask for less, or raise MaxResponseBytes.", null)
            : body;
    }

    private static async Task<(byte[] Body, bool More)> ReadAsync(
        HttpResponseMessage response,
        int max,
        CancellationToken cancellationToken
    )
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var length = response.Content.Headers.ContentLength is { } known && known <= max ? (int)known : 4096;
        var buffer = new byte[Math.Min(length + 1, Math.Max(max, 1))];
        var filled = 0;
        while (true)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken);
            if (count == 0)
            {
                return (buffer.AsSpan(0, filled).ToArray(), false);
            }

            filled += count;
            if (filled == buffer.Length)
            {
                if (filled >= max)
                {
                    return (buffer, true);
                }

                Array.Resize(ref buffer, (int)Math.Min((long)buffer.Length * 2, max));
            }
        }
    }
}
