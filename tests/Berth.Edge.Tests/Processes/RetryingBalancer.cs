using System.Collections.Concurrent;
using System.Diagnostics;

namespace Berth.Edge.Tests.Processes;

/// <summary>
/// A balancer as small as one can be: replicas in turn, and what could not be asked of one is asked of the next. For requests that may be
/// repeated.
/// </summary>
/// <param name="ports">Of the replicas.</param>
internal sealed class RetryingBalancer(params int[] ports) : HttpMessageHandler
{
    private readonly HttpMessageInvoker[] _replicas = [.. ports.Select(p => new HttpMessageInvoker(Loopback.Handler(p)))];
    private int _next;

    /// <summary>What failed at one replica and was sent to the next.</summary>
    public ConcurrentBag<Failure> Failures { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var first = Interlocked.Increment(ref _next);
        for (var attempt = 0; ; attempt++)
        {
            var replica = (first + attempt) % _replicas.Length;
            var began = Stopwatch.GetTimestamp();
            try
            {
                var answer = await _replicas[replica].SendAsync(request, cancellationToken);

                // All of it, so that one that ends in the middle is a failure too.
                await answer.Content.LoadIntoBufferAsync(cancellationToken);
                return answer;
            }
            catch (HttpRequestException error) when (attempt < _replicas.Length - 1)
            {
                Failures.Add(new(ports[replica], began, error.HttpRequestError == HttpRequestError.ConnectionError));
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var replica in _replicas)
        {
            replica.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>A request that a replica did not answer.</summary>
    /// <param name="Port">Of the replica.</param>
    /// <param name="Began">When it was sent there; <see cref="Stopwatch.GetTimestamp"/>.</param>
    /// <param name="IsRefused">Whether no connection was made.</param>
    public sealed record Failure(int Port, long Began, bool IsRefused);
}
