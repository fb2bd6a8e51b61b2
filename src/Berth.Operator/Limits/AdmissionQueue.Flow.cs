using Kube.Client;

namespace Berth.Operator;

/// <summary>Who goes on: past the person's ceilings to the namespace's queue, and from there to a place.</summary>
internal sealed partial class AdmissionQueue
{
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
        share.Moved();
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

        (entry.Unused ??= []).Add(item);
        _granted.Add(entry.Key);
    }

    /// <summary>Lets one wait again, as before, for what it was given and nothing was begun with.</summary>
    private void TakeBack(AdmissionEntry entry)
    {
        var unused = entry.Unused!;
        entry.Unused = null;
        foreach (var item in unused.AsEnumerable().Reverse())
        {
            var run = RunPart(item.Ask);
            Hold(entry, entry.Run - run, entry.Base - (item.Ask - run));
            Drop(item.Grow ? entry.Growth : entry.Start);
            if (item.Ask.Workspaces > 0)
            {
                entry.Established = false;
            }

            if (run != default)
            {
                entry.GrantedAt = null;
            }

            // A place to exist comes first: what it let it ask for is asked for again when there is one.
            entry.StorageGranted = entry.Base.Storage;
            Enqueue(entry, item.Ask, item.Since, item.Grow);
        }
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
