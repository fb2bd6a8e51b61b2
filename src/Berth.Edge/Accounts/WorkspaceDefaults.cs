using System.Collections.Immutable;
using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>Puts a person's preferences where a new workspace leaves something open.</summary>
internal sealed class WorkspaceDefaults(PreferenceReader preferences, WorkspaceWatch watch, WorkspaceOptions options)
{
    /// <summary>
    /// The wish with preferences filled in, and the person's variables. What a template does not take is left out: preferences never make a
    /// creation fail.
    /// </summary>
    public async Task<(CreateWorkspace Wish, IReadOnlyList<WorkspaceVariable> Environment)> ApplyAsync(
        Caller caller, CreateWorkspace wish, CancellationToken cancellationToken)
    {
        var preferred = await preferences.TryReadAsync(caller.Issuer, caller.Subject, cancellationToken).ConfigureAwait(false);
        return preferred is null
            ? (wish, [])
            : (Apply(wish, preferred, options.DefaultTemplate, watch.Template), EnvironmentChange.Wanted(preferred));
    }

    internal static CreateWorkspace Apply(
        CreateWorkspace wish, PreferenceWish preferred, string defaultTemplate, Func<string, WorkspaceTemplate?> templates)
    {
        if (wish.Template is null && preferred.Template is { } name && templates(name) is { Spec.Retired: null })
        {
            wish = wish with { Template = name };
        }

        if (preferred.Parameters.Count == 0 || templates(wish.Template ?? defaultTemplate) is not { } template)
        {
            return wish;
        }

        var known = (template.Spec.Parameters ?? []).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (parameter, value) in preferred.Parameters.Where(p => known.Contains(p.Key)))
        {
            var problems = NewWorkspace.NewProblems();
            TemplateParameters.Check(template.Spec, ImmutableDictionary<string, string>.Empty.Add(parameter, value), problems);
            if (!problems.ContainsKey($"parameters.{parameter}"))
            {
                values[parameter] = value;
            }
        }

        foreach (var (parameter, value) in wish.Parameters ?? ImmutableDictionary<string, string>.Empty)
        {
            values[parameter] = value;
        }

        return values.Count == 0 ? wish : wish with { Parameters = values };
    }
}
