namespace Kube.Client;

/// <summary>
/// Orders resource versions of one resource: decimal numbers of any length (KEP-5504, stable in Kubernetes 1.35; true of every etcd-backed
/// server before).
/// </summary>
/// <remarks>Versions of different resources, or of different servers, are not comparable.</remarks>
public sealed class ResourceVersionComparer : IComparer<string>
{
    private ResourceVersionComparer() { }

    /// <summary>The one instance.</summary>
    public static ResourceVersionComparer Instance { get; } = new();

    /// <summary>Compares two versions; null counts as older than any.</summary>
    /// <exception cref="ArgumentException">A version is not a decimal number; see <see cref="TryCompare"/>.</exception>
    public int Compare(string? x, string? y)
    {
        if (x is null || y is null)
        {
            return (x is null ? 0 : 1) - (y is null ? 0 : 1);
        }

        return TryCompare(x, y, out var result)
            ? result
            : throw new ArgumentException(
                $"Resource versions \"{x}\" and \"{y}\" are not both decimal numbers, so they cannot be ordered."
            );
    }

    /// <summary>Compares two versions where both are decimal numbers without leading zeros.</summary>
    public static bool TryCompare(string x, string y, out int result)
    {
        if (!IsNumber(x) || !IsNumber(y))
        {
            result = 0;
            return false;
        }

        result = x.Length != y.Length ? x.Length.CompareTo(y.Length) : string.CompareOrdinal(x, y);
        result = Math.Sign(result);
        return true;
    }

    private static bool IsNumber(string version) =>
        !string.IsNullOrEmpty(version)
        && !version.AsSpan().ContainsAnyExceptInRange('0', '9')
        && (version[0] != '0' || version.Length == 1);
}
