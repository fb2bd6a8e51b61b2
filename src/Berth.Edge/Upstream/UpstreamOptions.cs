namespace Berth.Edge;

/// <summary>
/// The API behind a connection, for callers who must not see its tokens: section <c>Berth:Edge:Connections:NAME:Upstream</c>. With it,
/// <c>/proxy/NAME/…</c> is forwarded there.
/// </summary>
public sealed record UpstreamOptions
{
    /// <summary>
    /// Where the API is, with the part of the path that all calls have in common; https, unless loopback or <see cref="AllowInsecure"/>.
    /// </summary>
    /// <value>No default; example <c>https://api.example.com/v3</c>.</value>
    public string BaseAddress { get; init; } = "";

    /// <summary>
    /// Plain http to another machine: the token can be read on the way. The default is false; for a network that encrypts by itself.
    /// </summary>
    public bool AllowInsecure { get; init; }

    /// <summary>Methods that are forwarded. The default is GET and HEAD: a program that only reads needs no more.</summary>
    public IList<string> AllowedMethods { get; init; } = [];

    /// <summary>
    /// Paths that are forwarded, below <see cref="BaseAddress"/>: <c>*</c> is one segment, <c>**</c> at the end is anything. Methods may
    /// stand before it: <c>GET,HEAD /repos/*/issues/**</c>. At least one; <c>/**</c> is everything.
    /// </summary>
    public IList<string> AllowedPaths { get; init; } = [];

    /// <summary>Header that carries the token. The default is Authorization.</summary>
    public string TokenHeader { get; init; } = "Authorization";

    /// <summary>Word before the token; empty sends the token alone. The default is Bearer.</summary>
    public string TokenScheme { get; init; } = "Bearer";

    /// <summary>
    /// Let pages of the edge's own origin call with the session cookie; each request then has to prove where it comes from. The default is
    /// false: bearer tokens and workspaces only.
    /// </summary>
    public bool AllowSessionCookie { get; init; }

    /// <summary>Pages of other origins that may call with a bearer token. The default is none.</summary>
    public UpstreamCorsOptions Cors { get; init; } = new();

    /// <summary>How much one person may ask of this connection.</summary>
    public UpstreamRateOptions RateLimit { get; init; } = new();

    /// <summary>Time to connect. The default is 5 seconds; an address that does not answer by then rarely does.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time from the end of the request to the beginning of the answer. The default is 60 seconds, as for workspaces.</summary>
    public TimeSpan ResponseHeaderTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Time without a byte in either direction after which a call is given up. The default is 100 seconds: APIs that stream send signs of
    /// life at least each minute.
    /// </summary>
    public TimeSpan ActivityTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Longest call, streams included; it never outlasts the proof of who calls. The default is 1 hour, the longest life of a workspace's
    /// credential.
    /// </summary>
    public TimeSpan MaximumDuration { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Largest body of a request in bytes. The default is 10 MiB: documents, not disk images.</summary>
    public long MaximumBody { get; init; } = 10 * 1024 * 1024;

    /// <summary>
    /// Largest body in bytes that is kept so that a call can be made again with a new token. The default is 64 KiB, which holds the JSON
    /// that APIs take; a larger one is streamed, and its caller is told to repeat.
    /// </summary>
    public int ReplayableBody { get; init; } = 64 * 1024;
}

/// <summary>Cross-origin calls (Fetch standard, CORS protocol). Preflights are answered by the edge and never forwarded.</summary>
public sealed record UpstreamCorsOptions
{
    /// <summary>Origins, written as browsers send them: <c>https://app.example.com</c>. The default is none; <c>*</c> is refused.</summary>
    public IList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Methods that such pages may use, of those that are forwarded. The default is all of those.</summary>
    public IList<string> AllowedMethods { get; init; } = [];

    /// <summary>Request headers that such pages may send. The default is authorization, content-type, accept and if-match.</summary>
    public IList<string> AllowedHeaders { get; init; } = [];

    /// <summary>
    /// Headers of answers that such pages may read besides the plain ones. The default is etag, link, location, retry-after.
    /// </summary>
    public IList<string> ExposedHeaders { get; init; } = [];

    /// <summary>How long a browser keeps a preflight's answer. The default is 10 minutes, what most browsers cut longer times to.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>Rate limits, counted on each replica by itself for each person and connection.</summary>
public sealed record UpstreamRateOptions
{
    /// <summary>Calls in a <see cref="Window"/>; all of them may come at once. The default is 300.</summary>
    public int Requests { get; init; } = 300;

    /// <summary>The time in which <see cref="Requests"/> become available again. The default is 1 minute.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Calls at the same time. The default is 20.</summary>
    public int Concurrent { get; init; } = 20;
}
