using System.Text.Json;
using System.Text.Json.Serialization;
using Kube.Client.Models;

namespace Kube.Client.Json;

/// <summary>
/// Source-generated JSON of the built-in kinds. A library with kinds of its own writes such a context with the same options.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTimeConverter)]
)]
[JsonSerializable(typeof(Pod))]
[JsonSerializable(typeof(Namespace))]
[JsonSerializable(typeof(PersistentVolumeClaim))]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(Endpoints))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(ConfigMap))]
[JsonSerializable(typeof(CoreEvent))]
[JsonSerializable(typeof(Lease))]
[JsonSerializable(typeof(TokenReview))]
[JsonSerializable(typeof(NetworkPolicy))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(CustomResourceDefinition))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(StorageClass))]
[JsonSerializable(typeof(VolumeSnapshot))]
[JsonSerializable(typeof(VolumeSnapshotClass))]
[JsonSerializable(typeof(ObjectMeta))]
[JsonSerializable(typeof(ListMeta))]
[JsonSerializable(typeof(Condition))]
[JsonSerializable(typeof(LabelSelector))]
[JsonSerializable(typeof(Status))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class KubeJson : JsonSerializerContext;
