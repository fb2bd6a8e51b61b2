using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;
using Kube.Runtime;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>Whose budget: a person's over all namespaces, or a namespace's.</summary>
internal readonly record struct BudgetKey(bool Person, string Name);

/// <summary>A cost that grows in a straight line: so much at a time, and so much more in each hour.</summary>
internal readonly record struct CostLine(decimal Micros, decimal MicrosPerHour)
{
    public static CostLine operator +(CostLine a, CostLine b) => new(a.Micros + b.Micros, a.MicrosPerHour + b.MicrosPerHour);

    /// <summary>The line of a workspace from now on.</summary>
    internal static CostLine Of(WorkspaceUsage? usage, PriceTable prices, DateTimeOffset now)
    {
        if (usage is null)
        {
            return default;
        }

        var current = UsageMath.Until(usage, prices, now);
        return new(current.Period == UsageMath.Name(UsageMath.MonthOf(now)) ? current.CostMicros ?? 0 : 0,
            prices.MicrosPerHour(UsageMath.RatesOf(usage)));
    }

    /// <summary>How long until it reaches an amount; zero when it has, null when it never does in this month.</summary>
    internal TimeSpan? Until(decimal micros, DateTimeOffset now)
    {
        if (Micros >= micros)
        {
            return TimeSpan.Zero;
        }

        if (MicrosPerHour <= 0)
        {
            return null;
        }

        var hours = (micros - Micros) / MicrosPerHour;
        var left = UsageMath.MonthOf(UsageMath.MonthOf(now).AddDays(32)) - now;
        return hours >= (decimal)left.TotalHours ? null : TimeSpan.FromTicks((long)decimal.Ceiling(hours * TimeSpan.TicksPerHour));
    }
}

/// <summary>
/// Tells when 80 and 100 % of a monthly budget are reached: once each per month, by an event on each of the workspaces concerned, and a
/// log line.
/// </summary>
/// <remarks>
/// Nothing is polled: from what everybody has now follows when the next mark is reached, and a timer waits for that; a change of usage or
/// policy computes it anew, at most every five seconds. What was reached before this operator took over was told by the one before.
/// </remarks>
internal sealed class BudgetWatch(
    Func<EffectivePolicy> policy,
    Func<IReadOnlyCollection<UserWorkspace>> workspaces,
    IEventRecorder events,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private static readonly int[] Marks = [80, 100];

    private readonly SemaphoreSlim _changed = new(1);
    private readonly HashSet<(BudgetKey Key, int Mark)> _told = [];
    private string? _month;

    /// <summary>Usage or policy changed.</summary>
    internal void Changed()
    {
        if (_changed.CurrentCount == 0)
        {
            _changed.Release();
        }
    }

    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            var first = true;
            while (true)
            {
                var next = Look(tell: !first);
                first = false;

                // A wish may also be forgotten: what is awaited is the earlier of a change and the next mark.
                await WaitAsync(Cap(next), cancellationToken);
                await Task.Delay(Interval, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The way to end.
        }
    }

    /// <summary>Tells what is reached; returns the time to the next mark, or to the next month.</summary>
    internal TimeSpan? Look(bool tell)
    {
        var spec = policy().Spec;
        if (spec.Budgets is null && spec.Namespaces?.Any(n => n.MonthlyBudget is not null) != true)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var month = UsageMath.Name(UsageMath.MonthOf(now));
        if (_month != month)
        {
            _told.Clear();
            _month = month;
        }

        TimeSpan? next = UsageMath.MonthOf(UsageMath.MonthOf(now).AddDays(32)) - now;
        foreach (var (key, line, members) in Sums(spec, now))
        {
            if (BudgetOf(spec, key) is not { } budget)
            {
                continue;
            }

            foreach (var mark in Marks)
            {
                var wait = line.Until(budget * 1_000_000m * mark / 100, now);
                if (wait == TimeSpan.Zero)
                {
                    if (_told.Add((key, mark)) && tell)
                    {
                        Tell(key, mark, line, budget, spec, members);
                    }
                }
                else if (wait < next)
                {
                    next = wait;
                }
            }
        }

        return next;
    }

    /// <summary>Cost of everyone who has a budget now, for the metrics: namespaces only, people would be too many.</summary>
    internal IEnumerable<(string Namespace, decimal Micros, decimal? Budget)> Namespaces()
    {
        var spec = policy().Spec;
        return Sums(spec, time.GetUtcNow()).Where(s => !s.Key.Person).Select(s => (s.Key.Name, s.Line.Micros, BudgetOf(spec, s.Key)));
    }

    /// <summary>Cancel <see cref="RunAsync"/> first.</summary>
    public void Dispose() => _changed.Dispose();

    private IEnumerable<(BudgetKey Key, CostLine Line, List<UserWorkspace> Members)> Sums(BerthPolicySpec spec, DateTimeOffset now)
    {
        var prices = PriceTable.Of(spec.Prices);
        var sums = new Dictionary<BudgetKey, (CostLine Line, List<UserWorkspace> Members)>();
        foreach (var workspace in workspaces())
        {
            var owner = workspace.Spec.Owner;
            var line = CostLine.Of(workspace.Status?.Usage, prices, now);
            Add(new BudgetKey(false, workspace.Metadata.Namespace ?? ""));
            if (owner.Issuer.Length > 0 && owner.Subject.Length > 0
                && !(owner.Issuer + owner.Subject).Contains('\0', StringComparison.Ordinal))
            {
                Add(new BudgetKey(true, WorkspaceNames.OwnerHash(owner.Issuer, owner.Subject)));
            }

            void Add(BudgetKey key)
            {
                var (sum, members) = sums.GetValueOrDefault(key, (default, []));
                members.Add(workspace);
                sums[key] = (sum + line, members);
            }
        }

        return sums.Select(s => (s.Key, s.Value.Line, s.Value.Members));
    }

    private static decimal? BudgetOf(BerthPolicySpec spec, BudgetKey key)
    {
        var text = key.Person ? spec.Budgets?.PerPerson
            : spec.Namespaces?.FirstOrDefault(n => n.Name == key.Name)?.MonthlyBudget ?? spec.Budgets?.PerNamespace;
        return PolicyAmounts.TryReadMoney(text, out var amount) && amount > 0 ? amount : null;
    }

    private void Tell(BudgetKey key, int mark, CostLine line, decimal budget, BerthPolicySpec spec, List<UserWorkspace> members)
    {
        var currency = spec.Prices?.Currency ?? "USD";
        var what = string.Create(CultureInfo.InvariantCulture,
            $"{line.Micros / 1_000_000m:0.00} of {budget:0.00} {currency} of this month's budget are used ({mark} %)");
        BudgetLog.Reached(logger, key.Person ? "person" : "namespace", key.Name, mark, what);
        if (!key.Person)
        {
            events.Warning(new Namespace { Metadata = new ObjectMeta { Name = key.Name, Namespace = key.Name } }, Reasons.BudgetReached,
                $"Namespace {key.Name}: {what}. Nothing is stopped; stop what is not needed, or ask an administrator.");
            return;
        }

        foreach (var workspace in members)
        {
            events.Warning(workspace, Reasons.BudgetReached,
                $"{what}, by all workspaces of its owner. Nothing is stopped; stop what is not needed, or ask an administrator.");
        }
    }

    private async Task WaitAsync(TimeSpan most, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await _changed.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The mark is reached.
        }
    }

    private static TimeSpan Cap(TimeSpan? wait) => wait is { } some && some < TimeSpan.FromDays(1) ? some : TimeSpan.FromDays(1);
}

/// <summary>Logs about budgets. Ids 2130 to 2139.</summary>
internal static partial class BudgetLog
{
    [LoggerMessage(2130, LogLevel.Warning, "Budget of {Kind} {Name}: mark {Percent} reached: {What}")]
    internal static partial void Reached(ILogger logger, string kind, string name, int percent, string what);
}
