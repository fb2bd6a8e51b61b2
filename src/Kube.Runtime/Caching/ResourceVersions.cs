using System.Diagnostics.CodeAnalysis;

namespace Kube.Runtime;

/// <summary>Comparing resource versions of one kind: decimal numbers of any length (KEP-5504, stable in Kubernetes 1.35; true of every server before it).</summary>
public static class ResourceVersions
{
    /// <summary>Whether a version is one that can be compared: digits only, not empty, no leading zero but for 0 itself.</summary>
    public static bool IsComparable([NotNullWhen(true)] string? version) =>
        !string.IsNullOrEmpty(version) && !version.AsSpan().ContainsAnyExceptInRange('0', '9') && (version[0] != '0' || version.Length == 1);

    /// <summary>Less than, equal to or greater than zero; null when one of them cannot be compared.</summary>
    public static int? Compare(string? left, string? right) =>
        !IsComparable(left) || !IsComparable(right) ? null
        : left.Length != right.Length ? left.Length.CompareTo(right.Length)
        : Math.Sign(string.CompareOrdinal(left, right));
}
