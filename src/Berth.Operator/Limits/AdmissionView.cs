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
        if ((missing ?? entry.Start) is not { } start)
        {
            return view;
        }

        view = view with { WaitsFor = mayExist ? WaitsFor.Run : WaitsFor.Create, Since = start.Since };
        if (start.TooLarge)
        {
            return view with { Message = Why(queue, start) };
        }

        var (position, length) = AdmissionQueue.PlaceOf(start);
        start.Shown = AdmissionOrder.Shown(position);
        return view with
        {
            Position = start.Shown,
            Length = AdmissionOrder.Shown(length),
            Message = $"{Why(queue, start)} It starts by itself; its place in the queue is {Approximately(position)} of "
                + $"{Approximately(length)}.",
        };
    }

    private static string Approximately(int number) => AdmissionOrder.Shown(number) is var shown && shown == number
        ? number.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"about {shown}");

    private static string Why(AdmissionQueue queue, AdmissionItem item)
    {
        var person = item.Entry.Share.Person;
        var space = item.Entry.Space;
        var ask = item.Ask;
        if (Amounts.Short(default, ask, queue.Ceilings.PerPerson) is > 0 and var never)
        {
            return TooMuch(ask, queue.Ceilings.PerPerson, never, "a person may have");
        }

        if (Amounts.Short(default, ask, space.Ceiling) is > 0 and var neverHere)
        {
            return TooMuch(ask, space.Ceiling, neverHere, $"namespace {space.Name} may have");
        }

        if (item.Parked)
        {
            return Amounts.Short(person.Held, ask, queue.Ceilings.PerPerson) is > 0 and var missing
                ? Full(person.Held, queue.Ceilings.PerPerson, missing, "a person may have", "its owner has", item.Grow)
                : "Earlier wishes of its owner come first.";
        }

        return Amounts.Short(space.Held, ask, space.Ceiling) is > 0 and var full
            ? Full(space.Held, space.Ceiling, full, $"namespace {space.Name} may have", "it has", item.Grow)
            : $"Others in namespace {space.Name} wait since before.";
    }

    private static string TooMuch(Amounts ask, Amounts ceiling, byte mask, string who)
    {
        var what = First(mask);
        return $"It asks for {Text(what, ask[(int)what])}, and {who} {Text(what, ceiling[(int)what])}: no wait can help. "
            + (what is Ceiling.Workspaces or Ceiling.Running
                ? "Ask an administrator for a higher ceiling."
                : $"Set spec.resources.{Field(what)} to less, or ask an administrator for a higher ceiling.");
    }

    private static string Full(Amounts held, Amounts ceiling, byte mask, string who, string has, bool grow)
    {
        var what = First(mask);
        var remedy = what switch
        {
            Ceiling.Workspaces => "Delete a workspace",
            Ceiling.Storage => "Delete a workspace with its volume",
            Ceiling.Running => "Stop another workspace",
            _ => "Stop another workspace, or wish for less",
        };
        return $"At most {Text(what, ceiling[(int)what])} is what {who}, and {has} {Text(what, held[(int)what])}. "
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
