using System.Collections.Concurrent;

namespace Kube.Runtime;

/// <summary>
/// The series of one instrument by their labels. A measurement finds its series by the tags as they were given: without a string, an
/// allocation or a lock. The text of the labels is made once for each series.
/// </summary>
/// <param name="text">Makes the text of labels; the same for tags in another order.</param>
/// <param name="create">Makes a series.</param>
/// <param name="maximum">
/// The most series. Past it all that is new shares one with <see cref="Overflow"/>: the instrument has a label that should not be one.
/// </param>
internal sealed class SeriesTable<T>(SeriesTable<T>.LabelText text, Func<T> create, int maximum)
    where T : class
{
    /// <summary>Labels of the series for what came too late to have one of its own.</summary>
    public const string Overflow = "overflow=\"true\"";

    private readonly ConcurrentDictionary<string, T> _byText = new(StringComparer.Ordinal);

    // The same tags can come in several orders, so there are more of these than series; half as many again are enough for every order that
    // one program has.
    private readonly ConcurrentDictionary<KeyValuePair<string, object?>[], T> _byTags = new(TagComparer.Instance);
    private int _remembered;

    /// <summary>Makes the text of labels.</summary>
    public delegate string LabelText(ReadOnlySpan<KeyValuePair<string, object?>> tags);

    /// <summary>All series by the text of their labels.</summary>
    public IEnumerable<KeyValuePair<string, T>> All => _byText;

    /// <summary>The series of a measurement, made when there is none.</summary>
    public T Of(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_byTags.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>().TryGetValue(tags, out var known))
        {
            return known;
        }

        var labels = text(tags);
        if (!_byText.TryGetValue(labels, out var series))
        {
            series = _byText.GetOrAdd(_byText.Count >= maximum ? Overflow : labels, static (_, make) => make(), create);
        }

        if (Interlocked.Increment(ref _remembered) <= maximum + (maximum / 2))
        {
            _byTags[tags.ToArray()] = series;
        }

        return series;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _byTags.Clear();
        _byText.Clear();
        Volatile.Write(ref _remembered, 0);
    }

    /// <summary>Tags are the same when names and values are, in the same order.</summary>
    private sealed class TagComparer : IEqualityComparer<KeyValuePair<string, object?>[]>,
        IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, KeyValuePair<string, object?>[]>
    {
        public static TagComparer Instance { get; } = new();

        public bool Equals(KeyValuePair<string, object?>[]? x, KeyValuePair<string, object?>[]? y) =>
            x is not null && y is not null && Equals(x.AsSpan(), y);

        public int GetHashCode(KeyValuePair<string, object?>[] obj) => GetHashCode(obj.AsSpan());

        public KeyValuePair<string, object?>[] Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, KeyValuePair<string, object?>[] other)
        {
            if (alternate.Length != other.Length)
            {
                return false;
            }

            for (var i = 0; i < alternate.Length; i++)
            {
                if (alternate[i].Key != other[i].Key || !Equals(alternate[i].Value, other[i].Value))
                {
                    return false;
                }
            }

            return true;
        }

        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            // Values alone: the names are nearly always the same.
            var hash = default(HashCode);
            foreach (var tag in alternate)
            {
                hash.Add(tag.Value);
            }

            return hash.ToHashCode();
        }
    }
}
