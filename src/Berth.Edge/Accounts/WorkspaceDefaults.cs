using System.Collections.Immutable;
using Berth.Accounts;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>Puts a person's preferences where a new workspace leaves something open.</summary>
internal sealed partial class WorkspaceDefaults(
    IAccountStore accounts, WorkspaceWatch watch, WorkspaceOptions options, TimeProvider clock, ILogger<WorkspaceDefaults> logger)
{
    // A workspace without preferences is better than one that waits for a database that is away.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The wish with preferences filled in. What a template does not take is left out: preferences never make a creation fail.
    /// </summary>
    public async Task<CreateWorkspace> ApplyAsync(Caller caller, CreateWorkspace wish, CancellationToken cancellationToken)
    {
        var found = await FindAsync(caller, cancellationToken).ConfigureAwait(false);
        return found is null ? wish : Apply(wish, found.Wish, options.DefaultTemplate, watch.Template);
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

    private async Task<Preferences?> FindAsync(Caller caller, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await accounts.Preferences.FindAsync(new PersonKey(caller.Issuer, caller.Subject), either.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (
            error is AccountsUnavailableException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogWithout(error.Message);
            return null;
        }
    }

    [LoggerMessage(5520, LogLevel.Warning, "A workspace is created without its owner's preferences: {Reason}")]
    private partial void LogWithout(string reason);
}
