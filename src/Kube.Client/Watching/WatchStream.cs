using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Http;
using Microsoft.Extensions.Logging;

namespace Kube.Client.Watching;

/// <summary>Opens a watch and reads its frames.</summary>
/// <remarks>
/// A peer that vanished without closing (a router that forgot the connection, a machine that lost power) sends nothing, ever. The server
/// promises to end a watch at its time-out, so silence for longer than that, plus a grace, means that nobody is there any more.
/// </remarks>
internal static class WatchStream
{
    public static async IAsyncEnumerable<WatchEvent<T>> OpenAsync<T>(
        KubeTransport transport,
        string pathAndQuery,
        JsonTypeInfo<T> typeInfo,
        WatchOptions watch,
        KubeClientOptions options,
        ILogger log,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
        where T : class, IKubeResource<T>
    {
        using var response = await transport.SendAsync(new(HttpMethod.Get, pathAndQuery) { LongRunning = true }, cancellationToken);
        using var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        try
        {
            using var frames = new FrameReader(pipe, options.MaxFrameBytes);
            while (true)
            {
                var line = await NextAsync(frames, silence, watch.Timeout + options.WatchGrace, either.Token, cancellationToken);
                if (line is null)
                {
                    yield break;
                }

                var next = Parse(line.Value.Span, typeInfo, watch.OmitManagedFields, frames.Unterminated, out var unknown);
                if (next is not null)
                {
                    yield return next;
                }
                else
                {
                    KubeClientLog.UnknownEvent(log, pathAndQuery.Split('?', 2)[0], unknown!);
                }
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    private static WatchEvent<T>? Parse<T>(
        ReadOnlySpan<byte> line, JsonTypeInfo<T> typeInfo, bool omitManagedFields, bool unterminated, out string? unknown)
        where T : class, IKubeResource<T>
    {
        try
        {
            return WatchFrame.Parse(line, typeInfo, omitManagedFields, out unknown);
        }
        catch (KubeException e) when (unterminated && e.InnerException is JsonException)
        {
            throw new KubeException("The watch ended in the middle of a frame; the connection was cut.", e);
        }
    }

    private static async ValueTask<ReadOnlyMemory<byte>?> NextAsync(
        FrameReader frames,
        CancellationTokenSource silence,
        TimeSpan longest,
        CancellationToken either,
        CancellationToken cancellationToken
    )
    {
        silence.CancelAfter(longest);
        try
        {
            return await frames.ReadAsync(either);
        }
        catch (OperationCanceledException e) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new KubeException(
                $"The watch was silent for {longest.TotalSeconds:0} s, longer than the server lets one live; the connection is dead.",
                e
            );
        }
        catch (OperationCanceledException e)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new KubeException($"The connection of the watch broke: {e.Message}", e);
        }
        finally
        {
            // The time that the caller takes for an event is not the server's silence.
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }
}
