namespace Kube.Client;

/// <summary>Identifies an object of a known kind. <see cref="Namespace"/> is empty for cluster-scoped kinds.</summary>
public readonly record struct ResourceKey(string Namespace, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
