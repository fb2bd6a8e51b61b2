using System.Text.Json;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// What the installation allows, with the defaults filled in: the policy resource if there is one, else the configuration, else these
/// defaults.
/// </summary>
internal sealed record EffectivePolicy
{
    internal const long DefaultIdleSeconds = 1800;
    internal const long DefaultWarnSeconds = 300;
    internal const long DefaultHoldSeconds = 86400;

    /// <summary>An installation that says nothing.</summary>
    internal static EffectivePolicy Default { get; } = From(new BerthPolicySpec());

    /// <summary>The policy as it was written.</summary>
    public required BerthPolicySpec Spec { get; init; }

    internal static EffectivePolicy From(BerthPolicySpec spec) => new() { Spec = spec };

    /// <summary>Whether two say the same.</summary>
    internal static bool Same(EffectivePolicy a, EffectivePolicy b) =>
        JsonSerializer.SerializeToUtf8Bytes(a.Spec, BerthJson.Default.BerthPolicySpec).AsSpan()
            .SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(b.Spec, BerthJson.Default.BerthPolicySpec));

    /// <summary>
    /// Whether a change bears on what a workspace is, apart from its place in the queue: life times and storage do; ceilings, prices and
    /// budgets have ledgers of their own.
    /// </summary>
    internal static bool ConcernsWorkspaces(EffectivePolicy former, EffectivePolicy next) => former.Spec.Lifetime != next.Spec.Lifetime
        || former.Spec.Storage != next.Spec.Storage;

    /// <summary>Time without use after which a workspace stops; null: never.</summary>
    internal TimeSpan? IdleTimeout(UserWorkspace workspace, WorkspaceTemplate? template)
    {
        var lifetime = Spec.Lifetime;
        var wished = workspace.Spec.Lifetime?.IdleTimeoutSeconds ?? template?.Spec.Lifetime?.IdleTimeoutSeconds
            ?? lifetime?.IdleTimeoutSeconds ?? DefaultIdleSeconds;
        var seconds = lifetime?.MaxIdleTimeoutSeconds is { } most ? (wished == 0 ? most : Math.Min(wished, most)) : wished;
        return seconds == 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>Longest run; null: not bounded.</summary>
    internal TimeSpan? MaxRun(UserWorkspace workspace, WorkspaceTemplate? template)
    {
        var policy = Spec.Lifetime?.MaxRunSeconds ?? 0;
        var wished = workspace.Spec.Lifetime?.MaxRunSeconds ?? template?.Spec.Lifetime?.MaxRunSeconds ?? policy;

        // The policy's own value is also the most: a person can be stricter, not laxer.
        var seconds = policy == 0 ? wished : wished == 0 ? policy : Math.Min(wished, policy);
        return seconds == 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    /// <summary>How long before a stop it is announced.</summary>
    internal TimeSpan WarnBefore => TimeSpan.FromSeconds(Spec.Lifetime?.WarnBeforeSeconds ?? DefaultWarnSeconds);

    /// <summary>The most that holds can keep a workspace running, from its start.</summary>
    internal TimeSpan MaxHold => TimeSpan.FromSeconds(Spec.Lifetime?.MaxHoldSeconds ?? DefaultHoldSeconds);
}
