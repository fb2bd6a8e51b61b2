using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>
/// The patches that make a waiting pod and its volume a workspace's. They carry the uid and the version that were looked at: the API
/// refuses them when anybody wrote in between.
/// </summary>
internal static class ClaimPatches
{
    /// <summary>Labels, owner and annotations of the pod that would have been made for the workspace.</summary>
    internal static KubePatch Pod(UserWorkspace workspace, Pod wanted, Pod candidate, DateTimeOffset now)
    {
        var annotations = Map(wanted.Metadata.Annotations);
        annotations[Annotations.ClaimedAt] = Times.Text(now);
        return Patch(candidate.Metadata, wanted.Metadata.Labels, annotations, JsonSerializer.SerializeToNode(
            new Pod { Metadata = new ObjectMeta { OwnerReferences = Children.Owned(workspace).OwnerReferences } },
            Kube.Client.Models.Pod.JsonTypeInfo)!["metadata"]!["ownerReferences"]!.DeepClone());
    }

    /// <summary>The labels, and whose they are; a volume never has an owner.</summary>
    internal static KubePatch Volume(UserWorkspace workspace, PersistentVolumeClaim volume) =>
        Patch(volume.Metadata, Children.LabelsOf(workspace),
            new JsonObject { [Annotations.Identity] = ChildIdentity.For(workspace).ToAnnotation() }, null);

    private static KubePatch Patch(ObjectMeta of, IReadOnlyDictionary<string, string>? labels, JsonObject annotations, JsonNode? owners)
    {
        var metadata = new JsonObject
        {
            ["uid"] = of.Uid,
            ["resourceVersion"] = of.ResourceVersion,
            ["labels"] = Map(labels),
            ["annotations"] = annotations,
        };
        if (owners is not null)
        {
            metadata["ownerReferences"] = owners;
        }

        var patch = new JsonObject { ["metadata"] = metadata };
        return KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(patch, WarmJson.Default.JsonObject));
    }

    private static JsonObject Map(IReadOnlyDictionary<string, string>? texts)
    {
        var map = new JsonObject();
        foreach (var (name, value) in texts ?? new Dictionary<string, string>())
        {
            map[name] = value;
        }

        return map;
    }
}
