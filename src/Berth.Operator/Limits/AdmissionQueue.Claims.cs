using System.Runtime.InteropServices;
using Kube.Client;

namespace Berth.Operator;

/// <summary>What a claim means: what it holds, what it asks for, and where that stands.</summary>
internal sealed partial class AdmissionQueue
{
    private AdmissionEntry Add(Claim claim)
    {
        var space = CollectionsMarshal.GetValueRefOrAddDefault(_spaces, claim.Key.Namespace, out _)
            ??= new AdmissionSpace(claim.Key.Namespace) { Ceiling = _ceilings.Of(claim.Key.Namespace) };
        var person = CollectionsMarshal.GetValueRefOrAddDefault(_persons, claim.Person, out _) ??= new AdmissionPerson(claim.Person);
        var share = CollectionsMarshal.GetValueRefOrAddDefault(person.Shares, space.Name, out _) ??= new AdmissionShare(person, space);
        var entry = new AdmissionEntry(claim.Key, space, share);
        share.Entries.Add(entry);
        return _entries[claim.Key] = entry;
    }

    /// <summary>What it holds to run, by what is there and by what it was given.</summary>
    private static Amounts RunOf(AdmissionEntry entry, Claim claim, bool known)
    {
        if (claim.Occupied is { } occupied)
        {
            return occupied;
        }

        if (!claim.WantsRun)
        {
            return default;
        }

        var wanted = RunPart(claim.Demand);
        return !known ? claim.Admitted ? wanted : default : entry.Run == default ? default : wanted;
    }

    /// <summary>Sets what it holds; true when something became free.</summary>
    private bool SetHeld(AdmissionEntry entry, Amounts run, Claim claim)
    {
        if (!entry.Established && claim.Established)
        {
            entry.Established = true;
            entry.StorageGranted = claim.Volume > 0 ? claim.Volume : claim.Demand.Storage;
        }

        // What it no longer wishes for is given back: wishing for it again is a new wish.
        var storage = Math.Max(claim.Volume, Math.Min(entry.StorageGranted, claim.Demand.Storage));
        entry.StorageGranted = entry.Established ? storage : 0;
        var @base = entry.Established ? new Amounts(1, storage, 0, 0, 0, 0) : default;

        // Between two pods the wish may have grown: it keeps its place only where the rest fits too.
        if (claim.Occupied is null && run != default && entry.Run != default
            && Amounts.Short(entry.Share.Person.Held - entry.Run, run, _ceilings.PerPerson)
                + Amounts.Short(entry.Space.Held - entry.Run, run, entry.Space.Ceiling) != 0
            && !Fits(run, entry.Run))
        {
            run = default;
        }

        return Hold(entry, run, @base);
    }

    private static bool Hold(AdmissionEntry entry, Amounts run, Amounts @base)
    {
        var delta = run + @base - entry.Run - entry.Base;
        if (delta == default && run == entry.Run)
        {
            return false;
        }

        var share = entry.Share;
        share.Person.Held += delta;
        entry.Space.Held += delta;
        var moved = run.Running != entry.Run.Running;
        share.Moved();
        entry.Run = run;
        entry.Base = @base;
        if (moved)
        {
            Reorder(share);
        }

        return Enumerable.Range(0, Amounts.Count).Any(i => delta[i] < 0);
    }

    private bool SetStart(AdmissionEntry entry, Claim claim, DateTimeOffset now)
    {
        // First a place to exist, then one to run: who waits for the second has a volume already.
        var ask = !entry.Established ? claim.WantsVolume ? new Amounts(1, claim.Demand.Storage, 0, 0, 0, 0) : default
            : claim.WantsRun && entry.Run == default ? RunPart(claim.Demand)
            : default;
        return Set(entry, entry.Start, ask, claim.Since ?? now, grow: false);
    }

    /// <summary>
    /// The turn that it had counts for others of its person that wait (<see cref="Reorder"/>), from the end of its run on: by its status,
    /// as an operator started anew would count it. Its status forgets it when it waits again.
    /// </summary>
    private static void SetTurn(AdmissionEntry entry, Claim claim)
    {
        var turn = entry.Start is null ? claim.GrantedAt : null;
        if (entry.Run == default && entry.GrantedAt != turn)
        {
            entry.GrantedAt = turn;
            Reorder(entry.Share);
        }
    }

    // No status keeps since when somebody wants a larger volume; the age of the workspace is as good an order, and survives a restart.
    private bool SetGrowth(AdmissionEntry entry, Claim claim) =>
        Set(entry, entry.Growth, entry.Established && claim.WantsVolume && claim.Demand.Storage > entry.Base.Storage
            ? new Amounts(0, claim.Demand.Storage - entry.Base.Storage, 0, 0, 0, 0) : default, claim.Created, grow: true);

    private bool Set(AdmissionEntry entry, AdmissionItem? present, Amounts ask, DateTimeOffset since, bool grow)
    {
        if ((present?.Ask ?? default) == ask)
        {
            return false;
        }

        // A changed wish keeps its time.
        Drop(present);
        if (ask != default)
        {
            Enqueue(entry, ask, present?.Since ?? since, grow);
        }

        return true;
    }

    private void Enqueue(AdmissionEntry entry, Amounts ask, DateTimeOffset since, bool grow)
    {
        var item = new AdmissionItem { Entry = entry, Ask = ask, Mask = ask.Mask, Since = since, Grow = grow };
        if (grow)
        {
            entry.Growth = item;
        }
        else
        {
            entry.Start = item;
        }

        if (Amounts.Short(default, ask, _ceilings.PerPerson) != 0 || Amounts.Short(default, ask, entry.Space.Ceiling) != 0)
        {
            item.TooLarge = true;
            return;
        }

        // Parked first: whether it may go on is decided in one place.
        item.Parked = true;
        item.Order = since.UtcTicks;
        QueueOf(item).Add(item);
        entry.Share.Moved();
        if (!grow)
        {
            entry.Share.Waiting.Add(item);
            Reorder(entry.Share);
        }
    }

    private static void Drop(AdmissionItem? item)
    {
        if (item is null)
        {
            return;
        }

        if (item.Grow)
        {
            item.Entry.Growth = null;
        }
        else
        {
            item.Entry.Start = null;
        }

        if (item.TooLarge)
        {
            return;
        }

        Leave(item);
        if (item.Entry.Share.Waiting.Remove(item))
        {
            Reorder(item.Entry.Share);
        }
    }

    // Out of the queue that it stands in.
    private static void Leave(AdmissionItem item)
    {
        QueueOf(item).Remove(item);
        item.Entry.Share.Moved();
        if (!item.Parked)
        {
            item.Entry.Share.Asked -= item.Ask;
        }
    }

    private static RankedSet<AdmissionItem> QueueOf(AdmissionItem item) => item.Parked
        ? CollectionsMarshal.GetValueRefOrAddDefault(item.Entry.Share.Parked, item.Mask, out _) ??= new(AdmissionItem.BySince)
        : CollectionsMarshal.GetValueRefOrAddDefault(item.Entry.Space.Queues, item.Mask, out _) ??= new(AdmissionItem.ByOrder);

    /// <summary>Gives everything of a person that waits in a namespace its place in order again.</summary>
    private static void Reorder(AdmissionShare share)
    {
        if (share.Waiting.Count == 0)
        {
            return;
        }

        var running = share.Entries.Count(e => e.Run != default);
        var ended = share.Entries.Where(e => e.Run == default && e.GrantedAt is not null).Select(e => e.GrantedAt!.Value).ToList();
        var before = 0;
        foreach (var item in share.Waiting.InOrder())
        {
            var order = AdmissionOrder.Key(item.Since, before++ + running + ended.Count(at => at >= item.Since));
            if (order == item.Order)
            {
                continue;
            }

            if (item.Parked)
            {
                item.Order = order;
                continue;
            }

            var queue = QueueOf(item);
            queue.Remove(item);
            item.Order = order;
            queue.Add(item);
            share.Moved();
        }
    }
}
