namespace Berth.Edge;

/// <summary>
/// Limits of what one client, person or workspace may ask for: section <c>Berth:Edge:Limits</c>. Each replica counts for itself, in memory:
/// behind n replicas up to n times as much passes. They are there to keep one from taking the service away from the others, not to meter.
/// </summary>
public sealed record EdgeLimitOptions
{
    /// <summary>
    /// All requests of one client address (IPv6: one /64, what one customer of a network is given). The default is 20,000 a minute: an
    /// office of a hundred people behind one address, each of whom opens an IDE of a few hundred files. Loopback and trusted proxies are
    /// not counted: who is behind them is not known.
    /// </summary>
    public RateOptions Address { get; init; } = new() { Requests = 20_000 };

    /// <summary>
    /// Sign-ins of one client address, and credentials from it that were refused: bearer tokens, session cookies nobody can read, logout
    /// tokens. The default is 300 a minute: a browser that opens thirty tabs without a session needs some sixty, and so do others behind
    /// the same address; who guesses needs far more.
    /// </summary>
    public RateOptions SignIn { get; init; } = new() { Requests = 300 };

    /// <summary>
    /// Calls of the API and of pages by one person, whatever their sessions and tokens. The default is 3,000 a minute: a script that lists
    /// and changes without a pause stays below, one that has lost its mind does not.
    /// </summary>
    public RateOptions Person { get; init; } = new() { Requests = 3_000 };

    /// <summary>
    /// Requests forwarded to one workspace, those included that a proxy asks about. The default is 30,000 a minute: the start of an IDE
    /// fires hundreds at once, a page under development reloads all of them each second.
    /// </summary>
    public RateOptions Workspace { get; init; } = new() { Requests = 30_000 };

    /// <summary>
    /// Requests to one workspace that are forwarded at the same time, event streams and downloads included; 0 is no limit. The default is
    /// 1,000: ten people with a hundred each, the number of streams an HTTP/2 connection commonly has.
    /// </summary>
    public int RequestsPerWorkspace { get; init; } = 1_000;

    /// <summary>
    /// WebSockets that one person has open, over all workspaces; 0 is no limit. The default is 500: an IDE window holds about five, a
    /// notebook one for each kernel and terminal.
    /// </summary>
    public int WebSocketsPerPerson { get; init; } = 500;

    /// <summary>WebSockets that are open to one workspace; 0 is no limit. The default is 500: a few people share it.</summary>
    public int WebSocketsPerWorkspace { get; init; } = 500;
}

/// <summary>A rate: as many requests at once, given back evenly over the window.</summary>
public sealed record RateOptions
{
    /// <summary>Requests at once and in each window; 0 is no limit. The default depends on what is limited.</summary>
    public int Requests { get; init; }

    /// <summary>The window, 1 second to 1 hour. The default is 1 minute.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);
}
