namespace Kube.Server;

/// <summary>A served kind as a caller in this process sees it.</summary>
/// <param name="Resource">Group and plural.</param>
/// <param name="Version">The storage version; objects come back in it.</param>
/// <param name="Kind">Kind, for example <c>Pod</c>.</param>
/// <param name="Namespaced">False for cluster-scoped kinds.</param>
public sealed record ResourceType(GroupResource Resource, string Version, string Kind, bool Namespaced)
{
    /// <summary>What stands in <c>apiVersion</c>: <c>v1</c> or <c>group/version</c>.</summary>
    public string ApiVersion => Resource.Group.Length == 0 ? Version : $"{Resource.Group}/{Version}";
}
