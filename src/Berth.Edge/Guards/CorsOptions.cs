namespace Berth.Edge;

/// <summary>
/// Pages of other origins that may call the edge's API with a bearer token: section <c>Berth:Edge:Cors</c>. Connections of the API proxy
/// have rules of their own (<see cref="UpstreamCorsOptions"/>), workspaces answer for themselves.
/// </summary>
public sealed record CorsOptions
{
    /// <summary>
    /// Origins, written as browsers send them: <c>https://app.example.com</c>. The default is none; wildcards are refused.
    /// </summary>
    public IList<string> Origins { get; init; } = [];

    /// <summary>How long a browser keeps a preflight's answer. The default is 10 minutes, what most browsers cut longer times to.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromMinutes(10);
}
