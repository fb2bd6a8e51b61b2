using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Kube.Server.Runner.Volumes;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Controllers;

/// <summary>
/// Binds claims at once to volumes that are folders of this machine, and reclaims the folders when the claims are gone.
/// </summary>
/// <remarks>
/// Storage classes: none given or one whose provisioner is <see cref="Provisioner"/> (<c>local</c> is made at start and is the default).
/// A claim in use by a pod is not let go before the pod is. Reclaim policy Delete removes the folder; Retain moves it aside to
/// <c>&lt;claim&gt;.released-&lt;uid&gt;</c> and records that in the volume, so that a new claim of the same name begins empty, as in a
/// cluster.
/// </remarks>
internal sealed partial class VolumeBinder(string? dataDirectory = null) : KeyedController
{
    public const string Provisioner = "runner.kube-server/local";
    public const string DefaultClass = "local";
    private const string Protection = "kubernetes.io/pvc-protection";
    private const string Claim = "c:";
    private const string Volume = "v:";

    private string _claims = "";

    public override string Name => "volume-binder";

    protected override string Component => "persistentvolume-controller";

    protected override IEnumerable<(GroupResource Resource, Func<WatchEvent, IEnumerable<string>> Keys)> Sources =>
    [
        (GroupResource.PersistentVolumeClaims, step => [Claim + KeyOf(step.Value), .. VolumeOf(step.Value)]),
        (GroupResource.PersistentVolumes, step => [Volume + KeyOf(step.Value)]),
        (GroupResource.StorageClasses, _ => Api.List(GroupResource.PersistentVolumeClaims).Items.Select(c => Claim + KeyOf(c))),
        (GroupResource.Pods, step => ClaimsOf(step.Value).Select(c => Claim + Key(step.Value.Object("metadata").Text("namespace"), c))),
    ];

    protected override async Task PrepareAsync(CancellationToken cancellationToken)
    {
        _claims = RunnerContext.ClaimsFolder(dataDirectory is null ? DataDirectory : Path.GetFullPath(dataDirectory));
        PrivateFolders.Create(_claims);
        if (Api.Get(GroupResource.StorageClasses, null, DefaultClass) is not null)
        {
            return;
        }

        await Api.CreateAsync(GroupResource.StorageClasses, null, new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = DefaultClass,
                ["annotations"] = new JsonObject { ["storageclass.kubernetes.io/is-default-class"] = "true" },
            },
            ["provisioner"] = Provisioner,
            ["reclaimPolicy"] = "Delete",
            ["allowVolumeExpansion"] = true,
            ["volumeBindingMode"] = "Immediate",
        }, cancellationToken: cancellationToken);
    }

    protected override Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var (ns, name) = Split(key[2..]);
        return key.StartsWith(Claim, StringComparison.Ordinal) ? ReconcileClaimAsync(ns, name, cancellationToken)
            : ReconcileVolumeAsync(name, cancellationToken);
    }

    private async Task ReconcileClaimAsync(string ns, string name, CancellationToken cancellationToken)
    {
        if (Api.Get(GroupResource.PersistentVolumeClaims, ns, name) is not { } claim)
        {
            return;
        }

        if (claim.Object("metadata").Text("deletionTimestamp") is not null)
        {
            await LetGoAsync(claim, ns, name, cancellationToken);
            return;
        }

        if (claim.Object("status").Text("phase") == "Bound" && claim.Object("spec").Text("volumeName") is { Length: > 0 } bound
            && Api.Get(GroupResource.PersistentVolumes, null, bound) is not null)
        {
            await ExpandAsync(claim, ns, name, bound, cancellationToken);
            return;
        }

        var folder = SafePath.Below(_claims, $"{ns}/{name}");
        var storageClass = Class(claim, out var problem);
        if (folder is null || storageClass is null)
        {
            Events.Warning(EventSubject.Of(claim, "v1", "PersistentVolumeClaim"), "ProvisioningFailed", problem
                ?? $"the folder of {ns}/{name} is a link");
            return;
        }

        var volume = await ProvisionAsync(claim, ns, name, folder, storageClass, cancellationToken);
        await Api.ModifyAsync(GroupResource.PersistentVolumeClaims, ns, name, current =>
        {
            if (current.Object("metadata").Text("uid") != claim.Object("metadata").Text("uid"))
            {
                return false;
            }

            var metadata = current["metadata"]!.AsObject();
            if (metadata["annotations"] is not JsonObject annotations)
            {
                metadata["annotations"] = annotations = [];
            }

            annotations["pv.kubernetes.io/bind-completed"] = "yes";
            annotations["pv.kubernetes.io/bound-by-controller"] = "yes";
            if (!metadata.Texts("finalizers").Contains(Protection))
            {
                metadata["finalizers"] = new JsonArray([.. metadata.Texts("finalizers").Append(Protection).Select(f => (JsonNode)f)]);
            }

            current["spec"]!["volumeName"] = volume;
            if (current.Object("spec").Text("storageClassName") is null)
            {
                current["spec"]!["storageClassName"] = storageClass.Object("metadata").Text("name");
            }

            return true;
        }, cancellationToken: cancellationToken);
        await Api.ModifyAsync(GroupResource.PersistentVolumeClaims, ns, name, current =>
        {
            current["status"] = new JsonObject
            {
                ["phase"] = "Bound",
                ["accessModes"] = current["spec"]?["accessModes"]?.DeepClone(),
                ["capacity"] = Capacity(current),
            };
            return true;
        }, "status", cancellationToken: cancellationToken);
    }

    private async Task<string> ProvisionAsync(
        JsonObject claim, string ns, string name, string folder, JsonObject storageClass, CancellationToken cancellationToken)
    {
        var uid = claim.Object("metadata").Text("uid")!;
        var volume = $"pvc-{uid}";
        PrivateFolders.Create(folder);
        if (Api.Get(GroupResource.PersistentVolumes, null, volume) is null)
        {
            await Api.CreateAsync(GroupResource.PersistentVolumes, null, new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = volume,
                    ["annotations"] = new JsonObject { ["pv.kubernetes.io/provisioned-by"] = Provisioner },
                },
                ["spec"] = new JsonObject
                {
                    ["capacity"] = Capacity(claim),
                    ["accessModes"] = claim["spec"]?["accessModes"]?.DeepClone(),
                    ["persistentVolumeReclaimPolicy"] = storageClass.Text("reclaimPolicy") ?? "Delete",
                    ["storageClassName"] = storageClass.Object("metadata").Text("name"),
                    ["volumeMode"] = "Filesystem",
                    ["hostPath"] = new JsonObject { ["path"] = folder, ["type"] = "" },
                    ["claimRef"] = new JsonObject
                    {
                        ["apiVersion"] = "v1",
                        ["kind"] = "PersistentVolumeClaim",
                        ["namespace"] = ns,
                        ["name"] = name,
                        ["uid"] = uid,
                    },
                },
            }, cancellationToken: cancellationToken);
            Events.Normal(EventSubject.Of(claim, "v1", "PersistentVolumeClaim"), "ProvisioningSucceeded",
                $"Successfully provisioned volume {volume}");
        }

        await SetPhaseAsync(volume, "Bound", cancellationToken);
        return volume;
    }

    // A folder is as large as the disk: a larger request is granted by saying so.
    private async Task ExpandAsync(JsonObject claim, string ns, string name, string volume, CancellationToken cancellationToken)
    {
        var capacity = Capacity(claim);
        if (JsonNode.DeepEquals(claim.Object("status").Object("capacity"), capacity))
        {
            return;
        }

        await Api.ModifyAsync(GroupResource.PersistentVolumes, null, volume, current =>
        {
            current["spec"]!["capacity"] = capacity.DeepClone();
            return true;
        }, cancellationToken: cancellationToken);
        await Api.ModifyAsync(GroupResource.PersistentVolumeClaims, ns, name, current =>
        {
            current["status"]!["capacity"] = capacity.DeepClone();
            return true;
        }, "status", cancellationToken: cancellationToken);
    }

    private async Task LetGoAsync(JsonObject claim, string ns, string name, CancellationToken cancellationToken)
    {
        var used = Api.List(GroupResource.Pods, ns).Items.Any(p => p.Object("status").Text("phase") is not ("Succeeded" or "Failed")
            && ClaimsOf(p).Contains(name));
        if (used || !claim.Object("metadata").Texts("finalizers").Contains(Protection))
        {
            return;
        }

        await Api.ModifyAsync(GroupResource.PersistentVolumeClaims, ns, name, current =>
        {
            var kept = current.Object("metadata").Texts("finalizers").Where(f => f != Protection).Select(f => (JsonNode)f).ToArray();
            current["metadata"]!["finalizers"] = new JsonArray(kept);
            return true;
        }, cancellationToken: cancellationToken);
    }

    private async Task SetPhaseAsync(string volume, string phase, CancellationToken cancellationToken) =>
        await Api.ModifyAsync(GroupResource.PersistentVolumes, null, volume, current =>
        {
            if (current.Object("status").Text("phase") == phase)
            {
                return false;
            }

            current["status"] = new JsonObject { ["phase"] = phase };
            return true;
        }, "status", cancellationToken: cancellationToken);

    private JsonObject? Class(JsonObject claim, out string? problem)
    {
        problem = null;
        var wanted = claim.Object("spec").Text("storageClassName");
        if (wanted?.Length == 0)
        {
            problem = "no persistent volumes available for this claim and no storage class is set";
            return null;
        }

        var found = wanted is not null ? Api.Get(GroupResource.StorageClasses, null, wanted)
            : Api.List(GroupResource.StorageClasses).Items.FirstOrDefault(c =>
                c.Object("metadata").Object("annotations").Text("storageclass.kubernetes.io/is-default-class") == "true");
        if (found is null)
        {
            problem = wanted is null ? "there is no default storage class" : $"storageclass.storage.k8s.io \"{wanted}\" not found";
        }
        else if (found.Text("provisioner") != Provisioner)
        {
            problem = $"storage class \"{found.Object("metadata").Text("name")}\": only provisioner {Provisioner} is available";
            return null;
        }

        return found;
    }

    private static JsonObject Capacity(JsonObject claim) => new()
    {
        ["storage"] = claim.Object("spec").Object("resources").Object("requests").Text("storage") ?? "1Gi",
    };

    private static IEnumerable<string> ClaimsOf(JsonObject pod) =>
        pod.Object("spec").Objects("volumes").Select(v => v.Object("persistentVolumeClaim").Text("claimName")).OfType<string>();

    private static IEnumerable<string> VolumeOf(JsonObject claim) =>
        claim.Object("spec").Text("volumeName") is { Length: > 0 } volume ? [Volume + Key(null, volume)] : [];

    private static string KeyOf(JsonObject obj) => Key(obj.Object("metadata").Text("namespace"), obj.Object("metadata").Text("name"));
}
