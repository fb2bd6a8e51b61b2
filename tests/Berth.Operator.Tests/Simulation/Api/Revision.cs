using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client;

namespace Berth.Operator.Tests;

/// <summary>One state of one object. Its tree is never changed once it is here.</summary>
internal sealed class Revision(ResourceDescriptor kind, ResourceKey key, long version, JsonObject json)
{
    private object? _typed;

    internal ResourceDescriptor Kind => kind;

    internal ResourceKey Key => key;

    internal long Version => version;

    internal JsonObject Json => json;

    internal string Uid => json["metadata"]!["uid"]!.GetValue<string>();

    internal bool IsEnding => json["metadata"]!["deletionTimestamp"] is not null;

    internal T As<T>()
        where T : class, IKubeResource<T> => (T)(_typed ??= json.Deserialize(T.JsonTypeInfo)!);
}

/// <summary>A step from one state of an object to the next.</summary>
/// <param name="Version">Version of the whole API after it.</param>
/// <param name="Former">Null when the object is new.</param>
/// <param name="Now">Null when the object is gone.</param>
/// <param name="Last">The state that a watch reports: of a deletion the last one, with the version of the deletion.</param>
internal sealed record Change(long Version, Revision? Former, Revision? Now, Revision Last);
