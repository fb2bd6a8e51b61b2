using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>
/// The policy in effect. The resource of the given name counts where it can be read; where its kind is not
/// served, may not be read or is not there, the configuration does.
/// </summary>
/// <remarks>Thread-safe. <see cref="Current"/> never waits; before <see cref="WaitAsync"/> returns it is the configuration's.</remarks>
internal sealed class PolicySource(
    IKubeClient client, InformerFactory informers, string name, BerthPolicySpec configured, IEventRecorder events, TimeProvider time,
    ILogger logger)
{
    // Installing the kind or granting the right later is rare, and a minute is soon enough; asking costs one small request.
    private static readonly TimeSpan AskAgain = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BerthPolicySpec _fallback = PolicyCheck.Check(configured, new BerthPolicySpec()).Good;
    private volatile EffectivePolicy _current = EffectivePolicy.From(PolicyCheck.Check(configured, new BerthPolicySpec()).Good);
    private ImmutableArray<PolicyProblem> _told = [];

    /// <summary>The policy in effect now.</summary>
    internal EffectivePolicy Current => _current;

    /// <summary>The resource that it comes from; null: the configuration.</summary>
    internal BerthPolicy? Resource { get; private set; }

    /// <summary>Called after <see cref="Current"/> changed, with the former and the new one; from the informer's thread.</summary>
    internal event Action<EffectivePolicy, EffectivePolicy>? Changed;

    /// <summary>Waits until it is known whether there is a policy resource: before that no ceiling can be kept.</summary>
    internal Task WaitAsync(CancellationToken cancellationToken) => _known.Task.WaitAsync(cancellationToken);

    /// <summary>Follows the resource until cancelled, then returns.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            string? told = null;
            while (await AskAsync(cancellationToken) is { } why)
            {
                if (why.Known)
                {
                    _known.TrySetResult();
                }

                if (why.Message != told)
                {
                    told = why.Message;
                    PolicyLog.Configured(logger, why.Message);
                }

                await Task.Delay(why.Known ? AskAgain : Retry, time, cancellationToken);
            }

            var informer = informers.Get(new InformerOptions<BerthPolicy>
            {
                Watcher = new WatcherOptions { FieldSelector = $"metadata.name={name}" },
            });
            using var handler = informer.AddHandler(e => Take(e.Kind == InformerEventKind.Deleted ? null : e.Resource));
            await handler.WaitForSyncAsync(cancellationToken);
            _known.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
    }

    /// <summary>Takes a policy, or the absence of one.</summary>
    internal void Take(BerthPolicy? policy)
    {
        if (policy is not null && policy.Metadata.Name != name)
        {
            return;
        }

        EffectivePolicy former, next;
        ImmutableArray<PolicyProblem> problems;
        lock (_gate)
        {
            former = _current;
            (var good, problems) = policy is null
                ? (_fallback, [])
                : PolicyCheck.Check(policy.Spec, Resource is null ? _fallback : former.Spec);
            next = EffectivePolicy.From(good);
            Resource = policy;
            _current = next;
            var known = _told;
            _told = problems;
            problems = [.. problems.Except(known)];
        }

        foreach (var problem in problems)
        {
            PolicyLog.Unusable(logger, name, problem.Field, problem.Message);
            events.Warning(policy!, Reasons.InvalidPolicy, $"{problem.Field}: {problem.Message}.");
        }

        if (!EffectivePolicy.Same(former, next))
        {
            PolicyLog.Changed(logger, policy is null ? "the configuration" : $"BerthPolicy {name}");
            Changed?.Invoke(former, next);
        }
    }

    /// <summary>Whether the resource can be followed: null when it can, else why not, and whether that is an answer.</summary>
    private async Task<(bool Known, string Message)?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            _ = await client.ListPageAsync<BerthPolicy>(null, new ListOptions { Limit = 1 }, cancellationToken);
            return null;
        }
        catch (KubeException e) when (e.IsNotFound)
        {
            return (true, "the cluster does not serve BerthPolicies");
        }
        catch (KubeException e) when (e.Code is 401 or 403)
        {
            return (true, $"BerthPolicies may not be read ({e.Message})");
        }
        catch (KubeException e)
        {
            return (false, $"whether there is a BerthPolicy could not be found out ({e.Message})");
        }
    }
}

/// <summary>Logs about the policy. Ids 2100 to 2119; the next free one is 2103.</summary>
internal static partial class PolicyLog
{
    [LoggerMessage(2100, LogLevel.Information, "The policy is that of the configuration (Berth:Operator:Policy): {Why}")]
    internal static partial void Configured(ILogger logger, string why);

    [LoggerMessage(2101, LogLevel.Warning, "BerthPolicy {Name}, {Field}: {Message}")]
    internal static partial void Unusable(ILogger logger, string name, string field, string message);

    [LoggerMessage(2102, LogLevel.Information, "The policy in effect changed; it is that of {Source}")]
    internal static partial void Changed(ILogger logger, string source);
}
