namespace Berth.Edge;

/// <summary>The request that the running code serves, for what is noted far away from it.</summary>
/// <remarks>
/// Not IHttpContextAccessor: where that is registered, the server makes a context for each request anew instead of one for each connection.
/// </remarks>
internal sealed class CurrentRequest
{
    private readonly AsyncLocal<Holder?> _current = new();

    /// <summary>The request; null outside of one, and in what goes on after its end.</summary>
    public HttpContext? Context => _current.Value?.Context;

    /// <summary>Begins one; dispose the result where it ends.</summary>
    public IDisposable Begin(HttpContext context) => _current.Value = new Holder { Context = context };

    // The context serves the connection's next request after this one: whoever runs on must not find it.
    private sealed class Holder : IDisposable
    {
        public HttpContext? Context { get; set; }

        public void Dispose() => Context = null;
    }
}
