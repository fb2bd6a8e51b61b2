using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>What has been found out about a request so far; null and false for what has not.</summary>
/// <remarks>
/// One object for all of it, as each feature of a request is looked up in a list, a dozen times for one that is forwarded.
/// </remarks>
internal sealed class RequestState
{
    /// <summary>Whether a body comes with it, or may: one without a stated length may turn out to be empty.</summary>
    public bool CanHaveBody { get; init; }

    /// <summary>Its canonical form; null while it was not parsed, and where it cannot be.</summary>
    public CanonicalRequest? Canonical { get; set; }

    /// <summary>Who makes it; null for a stranger.</summary>
    public Caller? Caller { get; set; }

    /// <summary>The session it came with.</summary>
    public EdgeSession? Session { get; set; }

    /// <summary>A session that a rule has ended.</summary>
    public RefusedSession? RefusedSession { get; set; }

    /// <summary>A session that is over by its cookie alone: nobody used it lately that the cookie knows of.</summary>
    public EdgeSession? IdleSession { get; set; }

    /// <summary>Later use of that session.</summary>
    public UsedElsewhere? UsedElsewhere { get; set; }

    /// <summary>
    /// Whether it brought session cookies, and none of them is ours: made up, tampered with, or of keys that are gone. One that has ended
    /// is no such cookie.
    /// </summary>
    public bool HasUnreadableCookie { get; set; }

    /// <summary>The workspace it may use.</summary>
    public WorkspaceAccess? Access { get; set; }

    /// <summary>How long it waits for the workspace's answer.</summary>
    public ResponseHeaderLimit? AnswerLimit { get; set; }

    /// <summary>What a proxy is told that asks about it.</summary>
    public ForwardAuthVerdict? Verdict { get; set; }

    /// <summary>Who may show the answer in a frame.</summary>
    public FrameAncestor? FrameAncestor { get; set; }

    /// <summary>Why it was refused.</summary>
    public RequestNotes? Notes { get; set; }
}

/// <summary>Access to what is known of a request.</summary>
internal static class RequestStateExtensions
{
    /// <summary>What is known of it.</summary>
    public static RequestState State(this HttpContext context)
    {
        if (context.Features.Get<RequestState>() is { } known)
        {
            return known;
        }

        var state = new RequestState
        {
            CanHaveBody = context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true },
        };
        context.Features.Set(state);
        return state;
    }

    /// <summary>The caller that authentication found, or null for a stranger.</summary>
    public static Caller? GetCaller(this HttpContext context) => context.State().Caller;

    /// <summary>The canonical form of this request.</summary>
    /// <exception cref="InvalidOperationException">The pipeline does not start with the edge's core.</exception>
    public static CanonicalRequest GetCanonical(this HttpContext context) => context.State().Canonical
        ?? throw new InvalidOperationException("UseBerthEdgeCore must come first in the pipeline.");
}
