using System.Collections.Concurrent;

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

    /// <summary>What failed at one replica: whether a connection was there already, so that the request was under way.</summary>
    public ConcurrentBag<bool> FailuresUnderWay { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var first = Interlocked.Increment(ref _next);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var answer = await _replicas[(first + attempt) % _replicas.Length].SendAsync(request, cancellationToken);

                // All of it, so that one that ends in the middle is a failure too.
                await answer.Content.LoadIntoBufferAsync(cancellationToken);
                return answer;
            }
            catch (HttpRequestException error) when (attempt < _replicas.Length - 1)
            {
                FailuresUnderWay.Add(error.HttpRequestError != HttpRequestError.ConnectionError);
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
}
