namespace Berth.Edge;

/// <summary>
/// Cross-origin calls of a connection: preflights are answered here, whoever asks; other requests need an identity as well. The rules are
/// <see cref="CorsPolicy"/>'s.
/// </summary>
internal static class UpstreamCors
{
    /// <summary>Header that tells whether an answer is the API's or the edge's own.</summary>
    public const string AnswerHeader = "Berth-Answer";

    /// <summary>Answers a preflight; the refusal is the same for a connection that is not there and for one that is closed.</summary>
    public static ConnectionError? Preflight(HttpContext context, UpstreamSettings? settings) =>
        (settings?.Cors ?? CorsPolicy.Closed).TryAnswerPreflight(context) ? null : UpstreamErrors.OriginNotAllowed;
}
