using System.Globalization;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>How a workspace stands under the ceilings, with the words for its status.</summary>
internal static class AdmissionView
{
    internal static Admission Of(AdmissionQueue queue, Claim claim)
    {
        if (queue.Find(claim.Key) is not { } entry)
        {
            return Admission.Open;
        }

        // One whose volume is gone waits for a new one as if it were new.
        var missing = claim.Volume == 0 ? entry.Growth : null;
        var mayExist = entry.Established && missing is null;
        var view = new Admission
        {
            MayExist = mayExist,
            MayRun = mayExist && entry.Run != default,
            StorageLimit = entry.Growth is null ? null : entry.Base.Storage,
            StorageMessage = entry.Growth is { } growth ? $"The volume cannot grow yet: {Why(queue, growth)}" : null,
        };
        entry.Growth?.Told = PlaceOf(queue, entry.Growth);
        if ((missing ?? entry.Start) is not { } start)
        {
            return view;
        }

        view = view with { WaitsFor = mayExist ? WaitsFor.Run : WaitsFor.Create, Since = start.Since };
        if (start.TooLarge)
        {
            return view with { Message = Why(queue, start) };
        }

        start.Told = PlaceOf(queue, start);
        return view with
        {
            Position = start.Told.Position,
            Length = start.Told.Length,
            Message = $"{Why(queue, start)} It starts by itself; its place in the queue is {Approximately(start.Told.Position)} of "
                + $"{Approximately(start.Told.Length)}.",
        };
    }

    /// <summary>How one stands, as far as people are told: when that changes, what they were told is no longer true.</summary>
    internal static AdmissionPlace PlaceOf(AdmissionQueue queue, AdmissionItem item)
    {
        var (obstacle, what) = ObstacleOf(queue, item);
        if (item.Grow)
        {
            return new(0, 0, obstacle, what);
        }

        var (position, length) = AdmissionQueue.PlaceOf(item);
        return new(AdmissionOrder.Shown(position), AdmissionOrder.Shown(length), obstacle, what);
    }

    // Up to twenty it is exact, see AdmissionOrder.Shown.
    private static string Approximately(int shown) =>
        shown <= AdmissionOrder.Exact ? shown.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"about {shown}");

    private static (Obstacle Why, Ceiling What) ObstacleOf(AdmissionQueue queue, AdmissionItem item)
    {
        var (person, space, ask) = (item.Entry.Share.Person, item.Entry.Space, item.Ask);
        if (Amounts.Short(default, ask, queue.Ceilings.PerPerson) is > 0 and var never)
        {
            return (Obstacle.MoreThanAPerson, First(never));
        }

        if (Amounts.Short(default, ask, space.Ceiling) is > 0 and var neverHere)
        {
            return (Obstacle.MoreThanANamespace, First(neverHere));
        }

        if (item.Parked)
        {
            return Amounts.Short(person.Held, ask, queue.Ceilings.PerPerson) is > 0 and var missing
                ? (Obstacle.Person, First(missing)) : (Obstacle.OwnEarlier, default);
        }

        return Amounts.Short(space.Held, ask, space.Ceiling) is > 0 and var full
            ? (Obstacle.Namespace, First(full)) : (Obstacle.Others, default);
    }

    private static string Why(AdmissionQueue queue, AdmissionItem item)
    {
        var (space, ask) = (item.Entry.Space, item.Ask);
        var (obstacle, what) = ObstacleOf(queue, item);
        return obstacle switch
        {
            Obstacle.MoreThanAPerson => TooMuch(ask, queue.Ceilings.PerPerson, what, "a person may have"),
            Obstacle.MoreThanANamespace => TooMuch(ask, space.Ceiling, what, $"namespace {space.Name} may have"),
            Obstacle.Person => Full(queue.Ceilings.PerPerson, what, "a person may have", item.Grow),
            Obstacle.OwnEarlier => "Earlier wishes of its owner come first.",
            Obstacle.Namespace => Full(space.Ceiling, what, $"namespace {space.Name} may have", item.Grow),
            _ => $"Others in namespace {space.Name} wait since before.",
        };
    }

    private static string TooMuch(Amounts ask, Amounts ceiling, Ceiling what, string who) =>
        $"It asks for {Text(what, ask[(int)what])}, and {who} {Text(what, ceiling[(int)what])}: no wait can help. "
            + (what is Ceiling.Workspaces or Ceiling.Running
                ? "Ask an administrator for a higher ceiling."
                : $"Set spec.resources.{Field(what)} to less, or ask an administrator for a higher ceiling.");

    // Without how much of it is in use: that changes with each start and stop of others, and would cost a write to everybody who waits.
    private static string Full(Amounts ceiling, Ceiling what, string who, bool grow)
    {
        var remedy = what switch
        {
            Ceiling.Workspaces => "Delete a workspace",
            Ceiling.Storage => "Delete a workspace with its volume",
            Ceiling.Running => "Stop another workspace",
            _ => "Stop another workspace, or wish for less",
        };
        return $"At most {Text(what, ceiling[(int)what])} is what {who}, and what is left of it does not suffice. "
            + $"{remedy}, {(grow ? "and it grows" : "or wait")}, or ask an administrator for a higher ceiling.";
    }

    private static Ceiling First(byte mask) =>
        (Ceiling)Enumerable.Range(0, Amounts.Count).First(i => (mask & (1 << i)) != 0);

    private static string Field(Ceiling what) => what switch
    {
        Ceiling.Storage => "storage",
        Ceiling.Cpu => "cpu",
        Ceiling.Memory => "memory",
        _ => "gpu",
    };

    private static string Text(Ceiling what, long amount) => what switch
    {
        Ceiling.Workspaces => string.Create(CultureInfo.InvariantCulture, $"{amount} workspaces"),
        Ceiling.Running => string.Create(CultureInfo.InvariantCulture, $"{amount} running workspaces"),
        Ceiling.Cpu => string.Create(CultureInfo.InvariantCulture, $"{amount / 1000m:0.###} CPU"),
        Ceiling.Gpu => string.Create(CultureInfo.InvariantCulture, $"{amount} GPUs"),
        _ => $"{Quantity.FromUnits(amount << 20)} of {(what == Ceiling.Memory ? "memory" : "storage")}",
    };
}

/// <summary>What a wish waits for.</summary>
internal enum Obstacle
{
    /// <summary>It asks for more than a person may ever have.</summary>
    MoreThanAPerson,

    /// <summary>It asks for more than the namespace may ever have.</summary>
    MoreThanANamespace,

    /// <summary>Its person has too much already.</summary>
    Person,

    /// <summary>Earlier wishes of its person come first.</summary>
    OwnEarlier,

    /// <summary>The namespace has too much already.</summary>
    Namespace,

    /// <summary>Earlier wishes in the namespace come first.</summary>
    Others,
}

/// <summary>How a wish stands, as people are told.</summary>
/// <param name="Position">Its place, 1 for the next one, rounded as <see cref="AdmissionOrder.Shown"/> does; 0 for a volume that is to
/// grow.</param>
/// <param name="Length">How many wait, rounded likewise.</param>
/// <param name="Why">What it waits for.</param>
/// <param name="What">The amount that is short, where one is.</param>
internal readonly record struct AdmissionPlace(int Position, int Length, Obstacle Why, Ceiling What);
