using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>
/// Renders the messages of the core: HTML for a navigation, problem+json (or JSON) otherwise, never cached, with the request id.
/// The default is plain; replace it to give the pages the product's look.
/// </summary>
internal interface IEdgePages
{
    /// <summary>Writes the answer. Headers such as Retry-After are set already; the response has not started.</summary>
    Task WriteAsync(HttpContext context, EdgeMessage message);
}

/// <summary>A message to a person or a program.</summary>
internal sealed record EdgeMessage
{
    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>Stable machine-readable reason, such as <c>sign-in-required</c>; becomes the problem's type.</summary>
    public required string Reason { get; init; }

    /// <summary>Short title.</summary>
    public required string Title { get; init; }

    /// <summary>What happened and what to do, plain text (escaped by the renderer).</summary>
    public required string Detail { get; init; }

    /// <summary>Links and buttons to go on with.</summary>
    public ImmutableArray<EdgeAction> Actions { get; init; } = [];
}

/// <summary>A way on from a message.</summary>
/// <param name="Label">Text of the link or button.</param>
/// <param name="Url">Where it goes; a path of the edge or an absolute URL made from configuration.</param>
/// <param name="Post">True for a button that posts a form, false for a link.</param>
internal sealed record EdgeAction(string Label, string Url, bool Post = false);
