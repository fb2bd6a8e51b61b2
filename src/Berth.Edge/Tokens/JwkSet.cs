using System.Collections.Immutable;
using System.Text.Json;

namespace Berth.Edge;

/// <summary>The usable signature keys of a JWK set (RFC 7517, 5). Keys that are not usable are left out, as the RFC asks.</summary>
internal sealed class JwkSet
{
    private const int MaximumKeys = 64;

    private JwkSet(ImmutableArray<JwkKey> keys) => Keys = keys;

    /// <summary>No keys.</summary>
    public static JwkSet Empty { get; } = new([]);

    /// <summary>The keys in the order of the document.</summary>
    public ImmutableArray<JwkKey> Keys { get; }

    /// <summary>Parses a document; null when it is not a JWK set at all.</summary>
    public static JwkSet? Parse(ReadOnlyMemory<byte> utf8)
    {
        if (StrictJson.ParseObject(utf8) is not { } root || !root.TryGetProperty("keys", out var keys)
            || keys.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var usable = ImmutableArray.CreateBuilder<JwkKey>();
        foreach (var element in keys.EnumerateArray())
        {
            if (usable.Count < MaximumKeys && element.ValueKind == JsonValueKind.Object && JwkKey.Parse(element) is { } key)
            {
                usable.Add(key);
            }
        }

        return new JwkSet(usable.ToImmutable());
    }

    /// <summary>
    /// The newer set, with the keys of this one that are in it still: what they verified goes on to count, however often it is read. This
    /// one when nothing has changed.
    /// </summary>
    public JwkSet RenewedBy(JwkSet newer)
    {
        ImmutableArray<JwkKey> keys = [.. newer.Keys.Select(k => Keys.FirstOrDefault(known => known.Thumbprint == k.Thumbprint) ?? k)];
        return keys.SequenceEqual(Keys) ? this : new JwkSet(keys);
    }

    /// <summary>Keys that may have made a signature: with a kid those that carry it, without one those that fit the algorithm.</summary>
    public IEnumerable<JwkKey> Candidates(string algorithm, string? kid) =>
        Keys.Where(k => (kid is null || k.KeyId == kid) && k.Fits(algorithm));
}
