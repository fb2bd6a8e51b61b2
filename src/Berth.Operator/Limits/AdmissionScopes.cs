using Kube.Client;

namespace Berth.Operator;

/// <summary>A wish that waits for a place.</summary>
internal sealed class AdmissionItem
{
    public required AdmissionEntry Entry { get; init; }

    /// <summary>A larger volume, rather than a place to exist or run.</summary>
    public bool Grow { get; init; }

    public required Amounts Ask { get; init; }

    public required byte Mask { get; init; }

    public required DateTimeOffset Since { get; init; }

    /// <summary>See <see cref="AdmissionOrder.Key"/>. Changed only while it is in no set that is ordered by it.</summary>
    public long Order { get; set; }

    /// <summary>It waits for the person's own ceiling, not for the namespace's.</summary>
    public bool Parked { get; set; }

    /// <summary>It asks for more than a ceiling is: waiting cannot help.</summary>
    public bool TooLarge { get; set; }

    /// <summary>How it stands by what its status says.</summary>
    public AdmissionPlace Told { get; set; }

    internal static IComparer<AdmissionItem> ByOrder { get; } = Comparer<AdmissionItem>.Create(static (a, b) =>
        a.Order.CompareTo(b.Order) is not 0 and var order ? order : CompareSince(a, b));

    internal static IComparer<AdmissionItem> BySince { get; } = Comparer<AdmissionItem>.Create(CompareSince);

    // The last three only make the order total.
    private static int CompareSince(AdmissionItem a, AdmissionItem b) =>
        a.Since.CompareTo(b.Since) is not 0 and var since ? since
        : string.CompareOrdinal(a.Entry.Key.Name, b.Entry.Key.Name) is not 0 and var name ? name
        : string.CompareOrdinal(a.Entry.Key.Namespace, b.Entry.Key.Namespace) is not 0 and var ns ? ns
        : a.Grow.CompareTo(b.Grow);
}

/// <summary>A workspace in the ledger.</summary>
internal sealed class AdmissionEntry(ResourceKey key, AdmissionSpace space, AdmissionShare share)
{
    internal ResourceKey Key { get; } = key;

    internal AdmissionSpace Space { get; } = space;

    internal AdmissionShare Share { get; } = share;

    /// <summary>What it holds to run.</summary>
    internal Amounts Run { get; set; }

    /// <summary>What it holds to exist.</summary>
    internal Amounts Base { get; set; }

    internal bool Established { get; set; }

    /// <summary>
    /// When it got its last place to run, as its status says: without a place it must be nothing else, because the order of those who wait
    /// is counted by it, and an operator started anew knows only what the status says. Null while it waits itself.
    /// </summary>
    internal DateTimeOffset? GrantedAt { get; set; }

    /// <summary>What it was given and nobody has begun anything with yet, the oldest first; null when there is no such thing.</summary>
    internal List<AdmissionItem>? Unused { get; set; }

    /// <summary>A look at it was told how it stands, and may begin something with its place at any moment.</summary>
    internal bool InLook { get; set; }

    /// <summary>Volume size that it was let have, in MiB.</summary>
    internal long StorageGranted { get; set; }

    internal AdmissionItem? Start { get; set; }

    internal AdmissionItem? Growth { get; set; }
}

/// <summary>A namespace: its ceiling, what is held of it, and who waits for it, by what they ask.</summary>
internal sealed class AdmissionSpace(string name)
{
    internal string Name { get; } = name;

    internal Amounts Ceiling { get; set; }

    internal Amounts Held { get; set; }

    /// <summary>
    /// One queue for each combination of amounts that is asked for: who waits for a GPU does not hold up who needs none.
    /// </summary>
    internal Dictionary<byte, RankedSet<AdmissionItem>> Queues { get; } = [];

    /// <summary>What those who wait here were told may no longer be so.</summary>
    internal bool Moved { get; set; }
}

/// <summary>A person over all namespaces.</summary>
internal sealed class AdmissionPerson(string hash)
{
    internal string Hash { get; } = hash;

    internal Amounts Held { get; set; }

    internal Dictionary<string, AdmissionShare> Shares { get; } = new(StringComparer.Ordinal);

    /// <summary>What those who wait for the person's own ceilings were told may no longer be so.</summary>
    internal bool Moved { get; set; }
}

/// <summary>A person in one namespace.</summary>
internal sealed class AdmissionShare(AdmissionPerson person, AdmissionSpace space)
{
    internal AdmissionPerson Person { get; } = person;

    internal AdmissionSpace Space { get; } = space;

    internal HashSet<AdmissionEntry> Entries { get; } = [];

    /// <summary>All that wait to exist or run, parked or not, by time.</summary>
    internal RankedSet<AdmissionItem> Waiting { get; } = new(AdmissionItem.BySince);

    /// <summary>What those that wait for the namespace ask for together: never more than the person's ceiling leaves.</summary>
    internal Amounts Asked { get; set; }

    internal Dictionary<byte, RankedSet<AdmissionItem>> Parked { get; } = [];

    /// <summary>What those who wait beside it were told may no longer be so.</summary>
    internal void Moved()
    {
        Person.Moved = true;
        Space.Moved = true;
    }
}
