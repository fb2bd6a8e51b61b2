using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>The body of a request without a stated length: counted while it is read.</summary>
internal sealed class CountedRequestBody(Stream inner, HttpContext context, BodyBytes bytes) : AsyncOnlyStream
{
    private BodyBytes.Count? _count;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (read > 0)
        {
            // Whoever reads knows what the request is; before that nobody does.
            _count ??= bytes.Of(RequestMetrics.RouteOf(context.State()));
            _count.Receive(read);
        }

        return read;
    }
}

/// <summary>
/// An answer without a stated length: counted while it is written to <see cref="Stream"/>. What goes through <see cref="Writer"/> is not;
/// whoever answers with one of unknown length writes to the stream.
/// </summary>
internal sealed class CountedAnswer(IHttpResponseBodyFeature inner, HttpResponse response, BodyBytes.Count count) : IHttpResponseBodyFeature
{
    private Counted? _stream;

    /// <inheritdoc/>
    public Stream Stream => _stream ??= new Counted(inner.Stream, response, count);

    /// <inheritdoc/>
    public PipeWriter Writer => inner.Writer;

    /// <inheritdoc/>
    public void DisableBuffering() => inner.DisableBuffering();

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        inner.SendFileAsync(path, offset, count, cancellationToken);

    /// <inheritdoc/>
    public Task CompleteAsync() => inner.CompleteAsync();

    private sealed class Counted(Stream inner, HttpResponse response, BodyBytes.Count count) : AsyncOnlyStream
    {
        public override bool CanRead => false;

        public override bool CanWrite => true;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);

            // An answer that failed before it began is replaced by a page, whose length is stated and counts at the end.
            if (response.ContentLength is null)
            {
                count.Send(buffer.Length);
            }
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
    }
}
