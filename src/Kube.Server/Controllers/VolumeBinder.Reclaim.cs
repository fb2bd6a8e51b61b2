using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Kube.Server.Runner.Volumes;

namespace Kube.Server.Controllers;

/// <summary>What becomes of a volume whose claim is gone.</summary>
internal sealed partial class VolumeBinder
{
    private async Task ReconcileVolumeAsync(string name, CancellationToken cancellationToken)
    {
        var volume = Api.Get(GroupResource.PersistentVolumes, null, name);
        var reference = volume.Object("spec").Object("claimRef");
        if (volume is null || reference is null || volume.Object("status").Text("phase") == "Released"
            || volume.Object("metadata").Object("annotations").Text("pv.kubernetes.io/provisioned-by") != Provisioner)
        {
            return;
        }

        var claim = Api.Get(GroupResource.PersistentVolumeClaims, reference.Text("namespace"), reference.Text("name") ?? "");
        if (claim.Object("metadata").Text("uid") == reference.Text("uid"))
        {
            return;
        }

        // Only folders below the claims' own are ever touched, whatever somebody wrote into the volume.
        var folder = volume.Object("spec").Object("hostPath").Text("path");
        var expected = SafePath.Below(_claims, $"{reference.Text("namespace")}/{reference.Text("name")}");
        var ours = folder is not null && folder == expected && Directory.Exists(folder);
        if (volume.Object("spec").Text("persistentVolumeReclaimPolicy") != "Retain")
        {
            if (ours)
            {
                Directory.Delete(folder!, recursive: true);
            }

            await Api.DeleteAsync(GroupResource.PersistentVolumes, null, name,
                new DeleteOptions { PreconditionUid = volume.Object("metadata").Text("uid") }, cancellationToken);
            return;
        }

        var aside = $"{expected}.released-{reference.Text("uid")}";
        if (ours)
        {
            Directory.Move(folder!, aside);
        }

        await Api.ModifyAsync(GroupResource.PersistentVolumes, null, name, current =>
        {
            if (!ours || current["spec"]?["hostPath"] is not JsonObject host)
            {
                return false;
            }

            host["path"] = aside;
            return true;
        }, cancellationToken: cancellationToken);
        await SetPhaseAsync(name, "Released", cancellationToken);
    }
}
