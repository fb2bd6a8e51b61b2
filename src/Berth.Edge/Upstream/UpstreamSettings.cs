using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>The API behind one connection after its options were checked; the only form the proxy reads.</summary>
internal sealed record UpstreamSettings
{
    /// <summary>Name of the connection.</summary>
    public required string Connection { get; init; }

    /// <summary>Scheme and authority, no slash at the end: <c>https://api.example.com</c>.</summary>
    public required string Origin { get; init; }

    /// <summary>Canonical path of the base, no slash at the end; empty for the root.</summary>
    public required string BasePath { get; init; }

    /// <summary>Whether the base is this machine: then, and only then, a loopback address may be connected to.</summary>
    public required bool IsLoopback { get; init; }

    /// <summary>Methods, upper case.</summary>
    public required ImmutableSortedSet<string> Methods { get; init; }

    /// <summary>Paths.</summary>
    public required ImmutableArray<PathPattern> Paths { get; init; }

    /// <summary>Header of the token.</summary>
    public required string TokenHeader { get; init; }

    /// <summary>Word before the token with its space, or empty.</summary>
    public required string TokenPrefix { get; init; }

    /// <summary>Whether the session cookie is accepted.</summary>
    public required bool AllowSessionCookie { get; init; }

    /// <summary>Pages of other origins that may call.</summary>
    public required CorsPolicy Cors { get; init; }

    /// <summary>Rate limits.</summary>
    public required UpstreamRateOptions Rate { get; init; }

    /// <summary>Connect.</summary>
    public required TimeSpan ConnectTimeout { get; init; }

    /// <summary>Until the answer begins.</summary>
    public required TimeSpan ResponseHeaderTimeout { get; init; }

    /// <summary>Between bytes.</summary>
    public required TimeSpan ActivityTimeout { get; init; }

    /// <summary>In all.</summary>
    public required TimeSpan MaximumDuration { get; init; }

    /// <summary>Body of a request.</summary>
    public required long MaximumBody { get; init; }

    /// <summary>Body that is kept for a second try.</summary>
    public required int ReplayableBody { get; init; }

    /// <summary>Path of the connection on the edge, no slash at the end.</summary>
    public string ProxyPath => UpstreamPaths.Prefix + Connection;
}

/// <summary>All connections that have an API.</summary>
/// <param name="Items">By name.</param>
internal sealed record UpstreamSettingsSet(ImmutableDictionary<string, UpstreamSettings> Items)
{
    /// <summary>The API of a connection; null when there is no such connection, or it has none.</summary>
    public UpstreamSettings? Find(string connection) => Items.GetValueOrDefault(connection);
}
