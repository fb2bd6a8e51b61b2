namespace Berth.Edge;

/// <summary>How the edge finds a workspace's process.</summary>
public enum TargetResolution
{
    /// <summary>Addresses of core/v1 Endpoints, port named http.</summary>
    Endpoints,

    /// <summary><c>name.namespace.svc</c> and the Service's port, inside the cluster.</summary>
    Service,
}

/// <summary>Forwarding to workspaces.</summary>
public sealed record ProxyOptions
{
    /// <summary>How targets are found. The default is Endpoints, which works out of the cluster too.</summary>
    public TargetResolution Targets { get; init; } = TargetResolution.Endpoints;

    /// <summary>Time to connect to a workspace's process. The default is 5 seconds: it is in the same network.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time from the end of a request to the beginning of the answer. The default is 60 seconds, what applications know from other proxies;
    /// work that takes longer should begin its answer and go on, as event streams do.
    /// </summary>
    public TimeSpan ResponseHeaderTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Time without a byte in either direction after which a plain request is given up. The default is 10 minutes: kernels and builds think
    /// long.
    /// </summary>
    public TimeSpan ActivityTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The same for WebSockets and event streams. The default is 24 hours, the longest a session lasts: a quiet terminal is not a dead one.
    /// </summary>
    public TimeSpan StreamActivityTimeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Names of the WorkspaceTemplates whose applications have bearer tokens of their own: what a browser with a session sends them as
    /// <c>Authorization: Bearer</c> goes through untouched. The default is none: a bearer token is the edge's to verify.
    /// </summary>
    public IList<string> ApplicationBearerTemplates { get; init; } = [];

    /// <summary>
    /// How often the client of a WebSocket is sent a ping; 0 sends none. The default is 30 seconds: balancers and firewalls that forget
    /// quiet connections do so after a minute or more.
    /// </summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a WebSocket, or a request of a script or API client, waits for a workspace that is starting; 0 waits for none. The default
    /// is 30 seconds: most starts are over by then, and clients and balancers give up after 60.
    /// </summary>
    public TimeSpan WakeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many wait for one workspace. The default is 100: a person's tabs, several times over. 0 is no limit.</summary>
    public int WaitingPerWorkspace { get; init; } = 100;

    /// <summary>How many wait in all on this replica. The default is 2,000, each a connection and little more. 0 is no limit.</summary>
    public int WaitingInAll { get; init; } = 2000;

    /// <summary>
    /// Connections to one workspace's process that have to fail in a row before no more are tried for a while. The default is 5: more than
    /// a restart's blink. 0 always tries.
    /// </summary>
    public int BreakerFailures { get; init; } = 5;

    /// <summary>
    /// How long none is tried then; after it one request is let through to see. The default is 5 seconds: what one blind attempt costs.
    /// </summary>
    public TimeSpan BreakerOpenFor { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Of a hundred requests, how many may be sent once more. The default is 10, so that repeats cannot double the load of what is down
    /// already. 0 sends none again.
    /// </summary>
    public int RetryPercent { get; init; } = 10;

    /// <summary>Other time-outs for some templates or paths; the first that fits a request counts. The default is none.</summary>
    public IList<RouteOptions> Routes { get; init; } = [];
}
