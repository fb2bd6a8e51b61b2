using Kube.Client;

namespace Berth.Operator;

/// <summary>
/// Who may exist, run and grow under the ceilings, and who waits in which order. Without clock, input or output: the same calls give the
/// same answers. A place is taken here before the pod or volume is made, so that workers side by side never go over a ceiling together.
/// </summary>
/// <remarks>
/// A wish first passes its person's ceilings (in order of time), then its namespace's (<see cref="AdmissionOrder"/>). One that does not fit
/// holds up later ones only in the amounts that it lacks, so a large wish gets its turn and a GPU's queue does not hold up who wants none.
/// What holds a place keeps it, whatever becomes of the ceilings, once something was begun with it: before that no resource speaks of it,
/// so another set of ceilings gives it anew, and so does a look that failed. Each call costs O(log n) of those who wait, but a new set of
/// ceilings, which looks at all. Not thread-safe.
/// </remarks>
internal sealed partial class AdmissionQueue(CeilingSet ceilings)
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
        AdmissionPerson? former = null;
        if (known && entry!.Share.Person.Hash != claim.Person)
        {
            // What it held is given to nobody yet: it holds it still, in another's name.
            former = entry.Share.Person;
            TakeOut(entry);
            known = false;
        }

        entry = known ? entry! : Add(claim);
        var released = SetHeld(entry, RunOf(entry, claim, known), claim);
        var existed = entry.Established;
        var changed = SetStart(entry, claim, now) | SetGrowth(entry, claim);
        SetTurn(entry, claim);
        if (released || changed)
        {
            Pump(entry.Share.Person, entry.Space);
        }

        if (!existed && entry.Established && SetStart(entry, claim, now))
        {
            Pump(entry.Share.Person, entry.Space);
        }

        if (former is not null)
        {
            Pump(former, entry.Space);
        }

        if (claim.Occupied is not null || claim.Admitted)
        {
            entry.Unused = null;
        }

        entry.InLook = !_loading;

        return Granted(claim.Key);
    }

    /// <summary>Forgets a workspace that is gone; returns those that got a place by it.</summary>
    internal IReadOnlyList<ResourceKey> Remove(ResourceKey key, DateTimeOffset now)
    {
        _now = now;
        if (!_entries.TryGetValue(key, out var entry))
        {
            return [];
        }

        TakeOut(entry);
        Pump(entry.Share.Person, entry.Space);
        return Granted(key);
    }

    private void TakeOut(AdmissionEntry entry)
    {
        _entries.Remove(entry.Key);
        Hold(entry, default, default);
        Drop(entry.Start);
        Drop(entry.Growth);
        var (share, space, person) = (entry.Share, entry.Space, entry.Share.Person);
        share.Entries.Remove(entry);
        Reorder(share);
        if (share.Entries.Count == 0)
        {
            person.Shares.Remove(space.Name);
            if (person.Shares.Count == 0)
            {
                _persons.Remove(person.Hash);
            }
        }
    }

    /// <summary>
    /// A workspace is gone and its pod still ends: it wants nothing more, and holds what it holds to run until <see cref="Remove"/>.
    /// </summary>
    internal IReadOnlyList<ResourceKey> Linger(ResourceKey key, DateTimeOffset now)
    {
        _now = now;
        if (!_entries.TryGetValue(key, out var entry))
        {
            return [];
        }

        entry.Established = false;
        entry.Unused = null;
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

        entry.Unused = null;
        Hold(entry, default, entry.Base);
        Pump(entry.Share.Person, entry.Space);
        return Granted(key);
    }

    /// <summary>Something is begun with what it was given, or its status says so.</summary>
    internal void Use(ResourceKey key) => Find(key)?.Unused = null;

    /// <summary>
    /// The look at it that the last <see cref="Put"/> was for is over. Where nothing was begun with a place to run it asks for it anew, as
    /// it would after a restart; returns others that got a place by it.
    /// </summary>
    internal IReadOnlyList<ResourceKey> EndLook(ResourceKey key, DateTimeOffset now)
    {
        _now = now;
        if (!_entries.TryGetValue(key, out var entry))
        {
            return [];
        }

        var given = entry.Unused?.FindLast(i => i.Ask.Running > 0);
        entry.Unused = null;
        entry.InLook = false;
        if (given is null || entry.Run == default)
        {
            return [];
        }

        var ask = entry.Run;
        Hold(entry, default, entry.Base);
        entry.GrantedAt = null;
        Enqueue(entry, ask, given.Since, grow: false);
        Pump(entry.Share.Person, entry.Space);
        return Granted(key);
    }

    /// <summary>Other ceilings; returns those that got a place by it. Nobody loses one that they began to use.</summary>
    internal IReadOnlyList<ResourceKey> SetCeilings(CeilingSet next, DateTimeOffset now)
    {
        _now = now;
        _ceilings = next;
        foreach (var space in _spaces.Values)
        {
            space.Ceiling = next.Of(space.Name);
        }

        foreach (var entry in _entries.Values.Where(e => e is { Unused: not null, InLook: false }))
        {
            TakeBack(entry);
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
}
