using System.Text.Json.Nodes;

namespace Kube.Server.Storage;

/// <summary>An object as it stands in the store. Immutable: neither the tree nor the bytes are ever changed.</summary>
internal sealed class StoredObject
{
    private StoredObject(GroupResource resource, string key, long resourceVersion, JsonObject value, byte[] utf8)
    {
        Resource = resource;
        Key = key;
        ResourceVersion = resourceVersion;
        Value = value;
        Utf8 = utf8;
    }

    public GroupResource Resource { get; }

    /// <summary><c>namespace/name</c>, or <c>name</c> for cluster-scoped kinds: the sort order of lists.</summary>
    public string Key { get; }

    public long ResourceVersion { get; }

    public JsonObject Value { get; }

    public byte[] Utf8 { get; }

    public string Namespace => Key.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? Key[..slash] : "";

    public string Name => Key[(Key.IndexOf('/', StringComparison.Ordinal) + 1)..];

    /// <summary>Stamps the version into the tree (which becomes the store's) and fixes the bytes.</summary>
    public static StoredObject Stamp(GroupResource resource, string key, long resourceVersion, JsonObject value)
    {
        Json.Ensure(value, "metadata")["resourceVersion"] = resourceVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var utf8 = Json.ToUtf8(value);
        // Parsed again so that every stored tree has the same node types, whoever built it, and shares nothing with its maker.
        return new StoredObject(resource, key, resourceVersion, Json.ParseObject(utf8), utf8);
    }

    public static StoredObject FromUtf8(GroupResource resource, string key, long resourceVersion, byte[] utf8) =>
        new(resource, key, resourceVersion, Json.ParseObject(utf8), utf8);

    public static string KeyOf(string? ns, string name) => string.IsNullOrEmpty(ns) ? name : ns + "/" + name;
}
