using System.Runtime.InteropServices;
using Kube.Client;

namespace Berth.Operator;

/// <summary>
/// Who may exist, run and grow under the ceilings, and who waits in which order. Without clock, input or output: the same calls give the
/// same answers. A place is taken here before the pod or volume is made, so that workers side by side never go over a ceiling together.
/// </summary>
/// <remarks>
/// A wish first passes its person's ceilings (in order of time), then its namespace's (<see cref="AdmissionOrder"/>). One that does not fit
/// holds up later ones only in the amounts that it lacks, so a large wish gets its turn and a GPU's queue does not hold up who wants none.
/// What holds a place keeps it, whatever becomes of the ceilings. Each call costs O(log n) of those who wait, but a new set of ceilings,
/// which looks at all. Not thread-safe.
/// </remarks>
internal sealed class AdmissionQueue(CeilingSet ceilings)
{
    private readonly Dictionary<ResourceKey, AdmissionEntry> _entries = [];
    private readonly Dictionary<string, AdmissionSpace> _spaces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AdmissionPerson> _persons = new(StringComparer.Ordinal);
    private readonly List<ResourceKey> _granted = [];
    private CeilingSet _ceilings = ceilings;
    private DateTimeOffset _now;
    private bool _loading;

    internal IEnumerable<AdmissionEntry> Entries => _entries.Values;

    internal IEnumerable<AdmissionSpace> Spaces => _spaces.Values;

    internal IEnumerable<AdmissionPerson> Persons => _persons.Values;

    internal CeilingSet Ceilings => _ceilings;

    /// <summary>Takes many claims before anybody gets a place, so that the order is not that of the list.</summary>
    internal void Load(IReadOnlyCollection<Claim> claims, DateTimeOffset now)
    {
        // Twice: who has just got a place to exist then asks for one to run.
        for (var i = 0; i < 2; i++)
        {
            _loading = true;
            foreach (var claim in claims)
            {
                Put(claim, now);
            }

            _loading = false;
            PumpAll();
        }

        _granted.Clear();
    }

    /// <summary>Takes what is known of a workspace; returns others that got a place by it.</summary>
    internal IReadOnlyList<ResourceKey> Put(Claim claim, DateTimeOffset now)
    {
        _now = now;
        var known = _entries.TryGetValue(claim.Key, out var entry);
        if (known && entry!.Share.Person.Hash != claim.Person)
        {
            Remove(claim.Key, now);
            known = false;
        }

        entry = known ? entry! : Add(claim);
        if (entry.GrantedAt is null && claim.GrantedAt is { } before)
        {
            entry.GrantedAt = before;
            Reorder(entry.Share);
        }

        var released = SetHeld(entry, RunOf(entry, claim, known), claim);
        var existed = entry.Established;
        var changed = SetStart(entry, claim, now) | SetGrowth(entry, claim);
        if (released || changed)
        {
            Pump(entry.Share.Person, entry.Space);
        }

        if (!existed && entry.Established && SetStart(entry, claim, now))
        {
            Pump(entry.Share.Person, entry.Space);
        }

        return Granted(claim.Key);
    }

    /// <summary>Forgets a workspace that is gone; returns those that got a place by it.</summary>
    internal IReadOnlyList<ResourceKey> Remove(ResourceKey key, DateTimeOffset now)
    {
        _now = now;
        if (!_entries.Remove(key, out var entry))
        {
            return [];
        }

        Hold(entry, default, default);
        Drop(entry.Start);
        Drop(entry.Growth);
        var (share, space, person) = (entry.Share, entry.Space, entry.Share.Person);
        share.Entries.Remove(entry);
        Reorder(share);
        Pump(person, space);
        if (share.Entries.Count == 0)
        {
            person.Shares.Remove(space.Name);
            if (person.Shares.Count == 0)
            {
                _persons.Remove(person.Hash);
            }
        }

        return Granted(key);
    }

    /// <summary>A workspace is gone and its pod still ends: it wants nothing more, and holds what it holds to run until <see cref="Remove"/>.</summary>
    internal IReadOnlyList<ResourceKey> Linger(ResourceKey key, DateTimeOffset now)
    {
        _now = now;
        if (!_entries.TryGetValue(key, out var entry))
        {
            return [];
        }

        entry.Established = false;
        Drop(entry.Start);
        Drop(entry.Growth);
        Hold(entry, entry.Run, default);
        Pump(entry.Share.Person, entry.Space);
        return Granted(key);
    }

    /// <summary>Gives back a place to run that could not be used, because the API refused the pod. The next claim asks anew.</summary>
    internal IReadOnlyList<ResourceKey> Withdraw(ResourceKey key, DateTimeOffset now)
    {
        _now = now;
        if (!_entries.TryGetValue(key, out var entry) || entry.Run == default)
        {
            return [];
        }

        Hold(entry, default, entry.Base);
        Pump(entry.Share.Person, entry.Space);
        return Granted(key);
    }

    /// <summary>Other ceilings; returns those that got a place by it. Nobody loses one.</summary>
    internal IReadOnlyList<ResourceKey> SetCeilings(CeilingSet next, DateTimeOffset now)
    {
        _now = now;
        _ceilings = next;
        foreach (var space in _spaces.Values)
        {
            space.Ceiling = next.Of(space.Name);
        }

        foreach (var item in _entries.Values.SelectMany(e => (AdmissionItem?[])[e.Start, e.Growth]).OfType<AdmissionItem>().ToList())
        {
            // Anew, because it may have become too large, or may no longer be.
            Drop(item);
            Enqueue(item.Entry, item.Ask, item.Since, item.Grow);
        }

        PumpAll();
        return Granted(default);
    }

    /// <summary>The entry of a workspace; null when it is not known.</summary>
    internal AdmissionEntry? Find(ResourceKey key) => _entries.GetValueOrDefault(key);

    /// <summary>1 for who comes next among those who ask for the same; and how many those are.</summary>
    internal static (int Position, int Length) PlaceOf(AdmissionItem item)
    {
        var (before, length) = (0, 0);
        IEnumerable<KeyValuePair<byte, RankedSet<AdmissionItem>>> queues = item.Parked
            ? item.Entry.Share.Person.Shares.Values.SelectMany(s => s.Parked)
            : item.Entry.Space.Queues;
        foreach (var (mask, queue) in queues)
        {
            if ((mask & item.Mask) != 0)
            {
                before += queue.CountBefore(item);
                length += queue.Count;
            }
        }

        return (before + 1, length);
    }

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
        if (item.Parked)
        {
            item.Entry.Share.Person.Moved = true;
        }
        else
        {
            item.Entry.Share.Asked -= item.Ask;
            item.Entry.Space.Moved = true;
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
            share.Space.Moved = true;
        }
    }

    private void PumpAll()
    {
        foreach (var person in _persons.Values)
        {
            Unpark(person, null);
        }

        foreach (var space in _spaces.Values)
        {
            Pump(space);
        }
    }

    private void Pump(AdmissionPerson person, AdmissionSpace space)
    {
        if (_loading)
        {
            return;
        }

        var touched = new HashSet<AdmissionSpace> { space };
        Unpark(person, touched);
        foreach (var one in touched)
        {
            Pump(one);
        }
    }

    /// <summary>Lets those of a person go on to their namespace's queue whom their own ceilings let.</summary>
    private void Unpark(AdmissionPerson person, HashSet<AdmissionSpace>? touched)
    {
        while (NextToUnpark(person) is { } item)
        {
            Leave(item);
            item.Parked = false;
            QueueOf(item).Add(item);
            item.Entry.Share.Asked += item.Ask;
            touched?.Add(item.Entry.Space);
        }
    }

    private AdmissionItem? NextToUnpark(AdmissionPerson person)
    {
        var blocked = 0;
        foreach (var head in Heads(person.Shares.Values.SelectMany(s => s.Parked.Values), AdmissionItem.BySince))
        {
            if ((head.Mask & blocked) != 0)
            {
                continue;
            }

            var missing = Amounts.Short(person.Held, head.Ask, _ceilings.PerPerson);
            if (missing != 0)
            {
                blocked |= missing;
            }
            else if (Amounts.Short(person.Held + head.Entry.Share.Asked, head.Ask, _ceilings.PerPerson) == 0)
            {
                return head;
            }
        }

        return null;
    }

    /// <summary>Gives out what is free in a namespace.</summary>
    private void Pump(AdmissionSpace space)
    {
        while (Step(space))
        {
        }
    }

    private bool Step(AdmissionSpace space)
    {
        var blocked = 0;
        foreach (var head in Heads(space.Queues.Values, AdmissionItem.ByOrder))
        {
            if ((head.Mask & blocked) != 0)
            {
                continue;
            }

            var person = head.Entry.Share.Person;
            if (Amounts.Short(person.Held, head.Ask, _ceilings.PerPerson) != 0)
            {
                // Used up elsewhere since: back to the person's own queue, in nobody's way.
                Leave(head);
                head.Parked = true;
                QueueOf(head).Add(head);
                Unpark(person, null);
                return true;
            }

            var missing = Amounts.Short(space.Held, head.Ask, space.Ceiling);
            if (missing == 0)
            {
                Grant(head);
                return true;
            }

            blocked |= missing;
        }

        return false;
    }

    private static List<AdmissionItem> Heads(IEnumerable<RankedSet<AdmissionItem>> queues, IComparer<AdmissionItem> order)
    {
        var heads = new List<AdmissionItem>();
        foreach (var queue in queues)
        {
            if (queue.TryFirst(out var head))
            {
                heads.Add(head);
            }
        }

        heads.Sort(order);
        return heads;
    }

    private void Grant(AdmissionItem item)
    {
        var entry = item.Entry;
        Leave(item);
        var share = entry.Share;
        var ahead = share.Waiting.CountBefore(item);
        share.Waiting.Remove(item);
        if (item.Grow)
        {
            entry.Growth = null;
            entry.StorageGranted = entry.Base.Storage + item.Ask.Storage;
        }
        else
        {
            entry.Start = null;
            if (item.Ask.Workspaces > 0)
            {
                entry.Established = true;
                entry.StorageGranted = item.Ask.Storage;
            }
        }

        var run = RunPart(item.Ask);
        share.Person.Held += item.Ask;
        entry.Space.Held += item.Ask;
        entry.Base += item.Ask - run;
        entry.Run += run;
        if (run != default)
        {
            entry.GrantedAt = _now;
        }

        // The first that waited became one that runs: for the others nothing changed.
        if (ahead > 0 || run == default)
        {
            Reorder(share);
        }

        _granted.Add(entry.Key);
    }

    private ResourceKey[] Granted(ResourceKey but)
    {
        if (_granted.Count == 0)
        {
            return [];
        }

        ResourceKey[] granted = [.. _granted.Where(k => k != but).Distinct()];
        _granted.Clear();
        return granted;
    }

    private static Amounts RunPart(Amounts all) => all with { Workspaces = 0, Storage = 0 };

    private static bool Fits(Amounts ask, Amounts held) => Enumerable.Range(0, Amounts.Count).All(i => ask[i] <= held[i]);
}
