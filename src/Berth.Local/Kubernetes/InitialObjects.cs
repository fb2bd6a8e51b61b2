using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Local.Kubernetes;

/// <summary>Gives the embedded API the definitions of Berth's kinds and the template of Studio.</summary>
internal static class InitialObjects
{
    private const string ApplyPatch = "application/apply-patch+yaml";
    private static readonly ResourceDescriptor Definitions = new(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        Namespaced: false
    );

    /// <summary>Claim that holds the archives of backups.</summary>
    internal const string BackupClaim = "berth-backups";

    /// <summary>Applies them; what is there already stays as it is.</summary>
    /// <param name="client">The embedded API.</param>
    /// <param name="ns">Namespace of people's workspaces.</param>
    /// <param name="connections">Connections that programs in workspaces of the template may call.</param>
    /// <param name="clock">Time.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task ApplyAsync(
        IKubeClient client,
        string ns,
        IReadOnlyList<string> connections,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith("crds/", StringComparison.Ordinal)))
        {
            // Files are named group_plural.yaml, as controller-gen does; the object is called plural.group.
            var name = Path.GetFileNameWithoutExtension(resource["crds/".Length..]).Split('_');
            await ApplyAsync(client, Definitions.ObjectPath(null, $"{name[1]}.{name[0]}"), resource, cancellationToken);
        }

        foreach (var kind in new[] { UserWorkspace.Descriptor, WorkspaceTemplate.Descriptor, BerthPolicy.Descriptor })
        {
            while (!await client.IsServedAsync(kind, cancellationToken))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), clock, cancellationToken);
            }
        }

        var template = WorkspaceTemplate.Descriptor.ObjectPath(ns, "studio");
        await ApplyAsync(client, template, "templates/studio.yaml", cancellationToken);

        // A field manager of its own, so that the template stays the one of the documentation and loses the field when there is no
        // connection.
        await client.Raw.SendAsync(
            HttpMethod.Patch,
            $"{template}?fieldManager=berth-local-connections&force=true",
            Encoding.UTF8.GetBytes(Opening(connections).ToJsonString()),
            ApplyPatch,
            cancellationToken
        );
        await client.ApplyAsync(
            new PersistentVolumeClaim
            {
                Metadata = new ObjectMeta { Name = BackupClaim, Namespace = ns },
                Spec = new PersistentVolumeClaimSpec
                {
                    AccessModes = ["ReadWriteOnce"],

                    // A number that has to be there: a folder is as large as the disk.
                    Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = "10Gi" } },
                },
            },
            new WriteOptions { FieldManager = "berth-local", Force = true },
            cancellationToken);
    }

    private static JsonObject Opening(IReadOnlyList<string> connections)
    {
        var spec = new JsonObject();
        if (connections.Count > 0)
        {
            spec["connections"] = new JsonArray([.. connections.Select(c => (JsonNode)c)]);
        }

        return new JsonObject
        {
            ["apiVersion"] = WorkspaceTemplate.Descriptor.ApiVersion,
            ["kind"] = WorkspaceTemplate.Descriptor.Kind,
            ["metadata"] = new JsonObject { ["name"] = "studio" },
            ["spec"] = spec,
        };
    }

    private static async Task ApplyAsync(IKubeClient client, string path, string resource, CancellationToken cancellationToken)
    {
        await using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
        using var body = new MemoryStream();
        await stream.CopyToAsync(body, cancellationToken);
        await client.Raw.SendAsync(
            HttpMethod.Patch,
            $"{path}?fieldManager=berth-local&force=true",
            body.ToArray(),
            ApplyPatch,
            cancellationToken
        );
    }
}
