using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Runtime;

namespace Berth.Edge.Tests.Cluster;

/// <summary>The definitions of Berth's kinds, as an API needs them.</summary>
internal static class Definitions
{
    private const int FirstMinorWithCel = 25;

    public static async Task InstallAsync(IKubeClient client)
    {
        // Older servers refuse fields that they do not know when they are applied server-side, and CEL rules are such.
        using var version = JsonDocument.Parse(
            await client.Raw.SendAsync(HttpMethod.Get, "/version", ReadOnlyMemory<byte>.Empty, null, default));
        var minor = version.RootElement.GetProperty("minor").GetString()!.TrimEnd('+');
        var cel = int.Parse(minor, System.Globalization.CultureInfo.InvariantCulture) >= FirstMinorWithCel;
        (ResourceDescriptor Kind, JsonObject Definition)[] definitions =
        [
            (UserWorkspace.Descriptor, CrdGenerator.ToJson<UserWorkspace>(cel)),
            (WorkspaceTemplate.Descriptor, CrdGenerator.ToJson<WorkspaceTemplate>(cel)),
            (BerthPolicy.Descriptor, CrdGenerator.ToJson<BerthPolicy>(cel)),
        ];
        foreach (var (kind, definition) in definitions)
        {
            await client.Raw.SendAsync(
                HttpMethod.Patch,
                $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.Plural}.{kind.Group}?fieldManager=berth-tests&force=true",
                Encoding.UTF8.GetBytes(definition.ToJsonString()), "application/apply-patch+yaml", default);
        }

        foreach (var (kind, _) in definitions)
        {
            await ClusterFixture.Until(() => client.IsServedAsync(kind, default));
        }
    }
}
