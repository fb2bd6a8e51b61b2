using Kube.Client;

namespace Kube.Runtime;

/// <summary>
/// Compares keys with hashes that are the same in every process, so that a simulation meets objects in the same order whenever it is run
/// again. Not for keys that a stranger chooses: whoever knows the hashes can make them collide.
/// </summary>
internal sealed class ReproducibleKeyComparer : IEqualityComparer<ResourceKey>
{
    private const uint Basis = 2166136261;
    private const uint Prime = 16777619;

    internal static ReproducibleKeyComparer Instance { get; } = new();

    public bool Equals(ResourceKey x, ResourceKey y) => x == y;

    /// <summary>FNV-1a over both texts.</summary>
    public int GetHashCode(ResourceKey obj)
    {
        var hash = Basis;
        foreach (var text in (ReadOnlySpan<string>)[obj.Namespace, obj.Name])
        {
            foreach (var letter in text)
            {
                hash = unchecked((hash ^ letter) * Prime);
            }
        }

        return unchecked((int)hash);
    }
}
