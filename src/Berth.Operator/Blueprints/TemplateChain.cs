using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// The way from the template that a workspace names to the one in effect: a retired template may name a successor, and that one
/// again. Pure.
/// </summary>
internal sealed record TemplateChain
{
    /// <summary>The most steps there may be: more are a mistake, and nobody could follow them.</summary>
    internal const int MaxRedirects = 8;

    private TemplateChain()
    {
    }

    /// <summary>
    /// The template in effect: the end of the way, or the one that is named where the way leads nowhere; null when there is none.
    /// </summary>
    public WorkspaceTemplate? Template { get; private init; }

    /// <summary>Names of the templates behind the one that is named, as far as the way could be followed.</summary>
    public ImmutableArray<string> Redirects { get; private init; } = [];

    /// <summary>Why the way leads nowhere; null when it does not.</summary>
    public BlueprintProblem? Problem { get; private init; }

    /// <summary>
    /// The way to the template that is taken where this one's fails again and again, with this way before it; null where there is none: no
    /// fallback is named, it is not there, or it leads back to what failed.
    /// </summary>
    /// <param name="name">The template that the workspace names.</param>
    /// <param name="find">Finds a template of the workspace's namespace; null when there is none.</param>
    internal TemplateChain? Fallback(string name, Func<string, WorkspaceTemplate?> find)
    {
        if (Problem is not null || Template?.Spec.FallbackTemplate is not { Length: > 0 } fallback)
        {
            return null;
        }

        var way = Follow(fallback, find);
        return way.Template is null || way.Problem is not null || way.Template.Metadata.Name == Template.Metadata.Name
            ? null
            : new TemplateChain
            {
                Template = way.Template,
                Redirects = [.. ((ReadOnlySpan<string>)[.. Redirects, fallback, .. way.Redirects]).ToArray().Where(n =>
                    n != name).TakeLast(MaxRedirects)],
            };
    }

    /// <summary>Another template than the one that is named is in effect.</summary>
    public bool IsRedirected => Problem is null && !Redirects.IsEmpty;

    /// <summary>Goes the way.</summary>
    /// <param name="name">The template that the workspace names.</param>
    /// <param name="find">Finds a template of the workspace's namespace; null when there is none.</param>
    internal static TemplateChain Follow(string name, Func<string, WorkspaceTemplate?> find)
    {
        if (find(name) is not { } first)
        {
            return new TemplateChain();
        }

        var redirects = ImmutableArray.CreateBuilder<string>();
        var last = first;
        while (last.Spec.Retired?.Successor is { Length: > 0 } successor)
        {
            if (successor == name || redirects.Contains(successor))
            {
                return Broken($"they lead back to '{successor}'");
            }

            if (redirects.Count == MaxRedirects)
            {
                return Broken($"there are more than {MaxRedirects} of them");
            }

            redirects.Add(successor);
            if (find(successor) is not { } next)
            {
                return Broken($"there is no template '{successor}' in this namespace");
            }

            last = next;
        }

        return new TemplateChain { Template = last, Redirects = redirects.ToImmutable() };

        TemplateChain Broken(string why) => new()
        {
            Template = first,
            Redirects = redirects.ToImmutable(),
            Problem = TemplateProblems.Template(first,
                $"is retired, and its successors ({string.Join(" -> ", redirects.Prepend(name))}) lead nowhere: {why}. A pod that "
                    + $"runs goes on; "
                    + "none can be started"),
        };
    }

    /// <summary>
    /// Names of the templates from which a way leads to this one, itself among them: workspaces of all of these are concerned by
    /// its change.
    /// </summary>
    /// <param name="name">A template.</param>
    /// <param name="predecessors">Names of the templates that name a given one as their successor.</param>
    internal static ImmutableArray<string> LeadingTo(string name, Func<string, IEnumerable<string>> predecessors)
    {
        List<string> found = [name];
        for (var i = 0; i < found.Count; i++)
        {
            foreach (var predecessor in predecessors(found[i]))
            {
                if (!found.Contains(predecessor))
                {
                    found.Add(predecessor);
                }
            }
        }

        return [.. found];
    }
}
