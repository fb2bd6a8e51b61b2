using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>A workspace as the API shows it. Times are RFC 3339 in UTC.</summary>
internal sealed record WorkspaceView
{
    public required string Name { get; init; }

    public required string DisplayName { get; init; }

    public required string Template { get; init; }

    public required string DesiredState { get; init; }

    public required string Phase { get; init; }

    /// <summary>Whether requests are forwarded to it now.</summary>
    public required bool Ready { get; init; }

    public string? Message { get; init; }

    public required string Url { get; init; }

    public required OwnerView Owner { get; init; }

    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>
    /// Names of the owner's variables that it is started with, where its template takes them. Their values are in the owner's preferences,
    /// and nobody else's to read here.
    /// </summary>
    public IReadOnlyList<string>? Environment { get; init; }

    public WorkspaceResources? Resources { get; init; }

    public WorkspaceRequest? LastRequest { get; init; }

    public IReadOnlyList<ConditionView>? Conditions { get; init; }

    public WorkspaceFailure? Failure { get; init; }

    /// <summary>True when a restart would bring a change.</summary>
    public bool PendingRestart { get; init; }

    /// <summary>When it was last used, when it will be stopped, and what keeps it running.</summary>
    public WorkspaceActivity? Activity { get; init; }

    /// <summary>Idle time-out and longest run where the workspace has its own; until when it is kept, and its holds.</summary>
    public WorkspaceLifetime? Lifetime { get; init; }

    /// <summary>Its place where it waits for a ceiling.</summary>
    public WorkspaceQueuePlace? Queue { get; init; }

    /// <summary>What came out otherwise than wished, in words; in the answer to that wish only.</summary>
    public string? Notice { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>Version, the same as in the ETag; send it as If-Match to change only what you have seen.</summary>
    public string? ResourceVersion { get; init; }

    public static WorkspaceView From(UserWorkspace workspace, IWorkspaceDirectory directory, WorkspaceUrls urls)
    {
        var name = workspace.Metadata.Name!;
        var status = workspace.Status;
        directory.TryFindByHost(urls.Host(name), out var entry);
        return new WorkspaceView
        {
            Name = name,
            DisplayName = DisplayNameOf(workspace),
            Template = workspace.Spec.Template.Name,
            DesiredState = workspace.Spec.DesiredState,
            Phase = WorkspaceEntries.PhaseOf(workspace),
            Ready = entry?.IsReady == true,
            Message = status?.Message,
            Url = urls.Url(name),
            Owner = new OwnerView(workspace.Spec.Owner.Issuer, workspace.Spec.Owner.Subject, workspace.Spec.Owner.Email,
                workspace.Spec.Owner.Name),
            Parameters = workspace.Spec.Parameters,
            Environment = workspace.Spec.Environment is { Count: > 0 } variables ? [.. variables.Select(v => v.Name)] : null,
            Resources = workspace.Spec.Resources,
            LastRequest = workspace.Spec.LastRequest,
            Conditions = status?.Conditions?.Select(c => new ConditionView(c.Type, c.Status, c.Reason, c.Message, c.LastTransitionTime))
                .ToArray(),
            Failure = status?.Failure,
            PendingRestart = status?.TemplateRevision?.PendingRestart == true,
            Activity = status?.Activity,
            Lifetime = workspace.Spec.Lifetime,
            Queue = status?.Queue,
            CreatedAt = workspace.Metadata.CreationTimestamp,
            DeletedAt = workspace.Metadata.DeletionTimestamp,
            ResourceVersion = workspace.Metadata.ResourceVersion,
        };
    }

    /// <summary>The name a person gave it; else what follows their own name; else "My workspace".</summary>
    public static string DisplayNameOf(UserWorkspace workspace)
    {
        if (workspace.Metadata.Annotations?.GetValueOrDefault(NewWorkspace.DisplayNameAnnotation) is { Length: > 0 } given)
        {
            return given;
        }

        var name = workspace.Metadata.Name ?? "";
        var own = WorkspaceNames.Prefix.Length + WorkspaceNames.HashLength;
        return name.StartsWith(WorkspaceNames.Prefix, StringComparison.Ordinal) && name.Length > own + 1 && name[own] == '-'
            ? name[(own + 1)..]
            : name.Length == own && name.StartsWith(WorkspaceNames.Prefix, StringComparison.Ordinal) ? "My workspace"
            : name;
    }
}

/// <summary>Whose it is.</summary>
internal sealed record OwnerView(string Issuer, string Subject, string? Email, string? Name);

/// <summary>One condition.</summary>
internal sealed record ConditionView(string Type, string Status, string? Reason, string? Message, DateTimeOffset? Since);

/// <summary>Answer to a list.</summary>
internal sealed record WorkspaceListView(IReadOnlyList<WorkspaceView> Items);

/// <summary>One event.</summary>
internal sealed record EventView(DateTimeOffset At, string Type, string? Reason, string? Message, string About, int Count)
{
    public static EventView From(CoreEvent e) => new(
        WorkspaceInsight.TimeOf(e), e.Type ?? "Normal", e.Reason, e.Message, $"{e.InvolvedObject.Kind}/{e.InvolvedObject.Name}",
            e.Series?.Count ?? e.Count ?? 1);
}

/// <summary>Events, oldest first.</summary>
internal sealed record EventListView(IReadOnlyList<EventView> Items);

/// <summary>A template to choose.</summary>
internal sealed record TemplateView(string Name, string DisplayName, string? Description, bool Default,
    IReadOnlyList<ParameterView> Parameters)
{
    public static TemplateView From(WorkspaceTemplate template, string defaultTemplate) => new(
        template.Metadata.Name ?? "",
        template.Spec.DisplayName ?? template.Metadata.Name ?? "",
        template.Spec.Description,
        template.Metadata.Name == defaultTemplate,
        [.. (template.Spec.Parameters ?? []).Select(ParameterView.From)]);
}

/// <summary>A parameter of a template.</summary>
internal sealed record ParameterView
{
    public required string Name { get; init; }

    public required string DisplayName { get; init; }

    public string? Description { get; init; }

    public required string Type { get; init; }

    public string? Default { get; init; }

    public bool Required { get; init; }

    public IReadOnlyList<string>? Values { get; init; }

    public long? Minimum { get; init; }

    public long? Maximum { get; init; }

    public string? Pattern { get; init; }

    public static ParameterView From(TemplateParameter p) => new()
    {
        Name = p.Name,
        DisplayName = p.DisplayName ?? p.Name,
        Description = p.Description,
        Type = p.Type,
        Default = p.Default,
        Required = p.Required == true,
        Values = p.Values,
        Minimum = p.Minimum,
        Maximum = p.Maximum,
        Pattern = p.Pattern,
    };
}

/// <summary>Templates.</summary>
internal sealed record TemplateListView(IReadOnlyList<TemplateView> Items);

/// <summary>Who is asking.</summary>
internal sealed record PersonView
{
    public required string Issuer { get; init; }

    public required string Subject { get; init; }

    public string? Email { get; init; }

    public string? Name { get; init; }

    public required bool Administrator { get; init; }

    /// <summary><c>session</c> or <c>bearer</c>.</summary>
    public required string AuthenticatedBy { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public required string DefaultWorkspace { get; init; }

    public required int MaximumWorkspaces { get; init; }
}

/// <summary>RFC 9457.</summary>
internal sealed record ProblemView
{
    public required string Type { get; init; }

    public required string Title { get; init; }

    public required int Status { get; init; }

    public required string Detail { get; init; }

    public required string Reason { get; init; }

    /// <summary>Field of the request to what is wrong with it.</summary>
    public ImmutableDictionary<string, string>? Errors { get; init; }

    public required string RequestId { get; init; }

    /// <summary>Where a person can sign in, on 401.</summary>
    public string? LoginUrl { get; init; }
}
