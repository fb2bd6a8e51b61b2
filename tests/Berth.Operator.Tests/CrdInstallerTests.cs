using System.Text;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator.Tests;

public sealed class CrdInstallerTests : IAsyncLifetime
{
    private const string Workspaces = "userworkspaces.berth.dev";
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();
    private TestedApi? _api;
    private KubeClient? _client;

    private KubeClient Client => _client!;

    public async Task InitializeAsync()
    {
        _api = await TestedApi.KubeServerAsync();
        _client = KubeClient.Create(KubeConfig.Parse(_api.Kubeconfig!));
    }

    public async Task DisposeAsync()
    {
        _client?.Dispose();
        await _api!.Server!.DisposeAsync();
    }

    [Fact]
    public async Task Apply_ClusterWithoutDefinitions_AllAreServed()
    {
        Assert.Equal(0, await ApplyAsync());
        foreach (var kind in new[] { UserWorkspace.Descriptor, WorkspaceTemplate.Descriptor, BerthPolicy.Descriptor })
        {
            Assert.True(await Client.IsServedAsync(kind, default), kind.Kind);
        }

        Assert.Equal(3, _output.ToString().Split("applied and served").Length - 1);
        Assert.Equal(0, await ApplyAsync());
    }

    // What an older chart installed belongs to Helm; a field that is new, or was changed by hand, has to come all the same.
    [Fact]
    public async Task Apply_DefinitionOfSomebodyElse_IsBroughtUpToDateAndItsObjectsStay()
    {
        var older = CrdGenerator.ToJson<UserWorkspace>();
        var properties = Properties(older);
        properties.Remove("sharing");
        await Client.Raw.SendAsync(HttpMethod.Patch,
            CustomResourceDefinition.Descriptor.ObjectPath(null, Workspaces) + "?fieldManager=helm&force=true",
            Encoding.UTF8.GetBytes(older.ToJsonString()), "application/apply-patch+yaml", default);
        while (!await Client.IsServedAsync(UserWorkspace.Descriptor, default))
        {
            await Task.Yield();
        }

        var workspace = new UserWorkspace
        {
            Metadata = new ObjectMeta { Name = "one", Namespace = "default" },
            Spec = new UserWorkspaceSpec
            {
                Owner = new WorkspaceOwner { Issuer = "https://id.example.com", Subject = "1" },
                Template = new TemplateReference { Name = "studio" },
            },
        };
        var made = await Client.CreateAsync(workspace, null, default);

        Assert.Equal(0, await ApplyAsync());

        var now = await Client.GetAsync<CustomResourceDefinition>(null, Workspaces, default);
        Assert.True(Properties(JsonNode.Parse(now.Spec!.Value.GetRawText())!, "versions").ContainsKey("sharing"));
        Assert.Equal(made.Metadata.Uid, (await Client.GetAsync<UserWorkspace>("default", "one", default)).Metadata.Uid);
    }

    [Fact]
    public async Task Apply_ObjectsStoredInAVersionItDoesNotKnow_RefusesAndChangesNothing()
    {
        var newer = CrdGenerator.ToJson<UserWorkspace>();
        var versions = newer["spec"]!["versions"]!.AsArray();
        var next = versions[0]!.DeepClone();
        next["name"] = "v9";
        versions[0]!["storage"] = false;
        versions.Add(next);
        await Client.Raw.SendAsync(HttpMethod.Patch,
            CustomResourceDefinition.Descriptor.ObjectPath(null, Workspaces) + "?fieldManager=helm&force=true",
            Encoding.UTF8.GetBytes(newer.ToJsonString()), "application/apply-patch+yaml", default);

        Assert.Equal(1, await ApplyAsync());

        Assert.Contains("userworkspaces.berth.dev has objects stored in version v9", _errors.ToString(), StringComparison.Ordinal);
        var now = await Client.GetAsync<CustomResourceDefinition>(null, Workspaces, default);
        Assert.Equal(2, now.Spec!.Value.GetProperty("versions").GetArrayLength());

        // The others were not touched either: a cluster is not left half way.
        Assert.Null(await Client.TryGetAsync<CustomResourceDefinition>(null, "berthpolicies.berth.dev", default));
    }

    [Fact]
    public async Task Apply_WithoutCel_HoldsNoRules()
    {
        Assert.Equal(0, await ApplyAsync(celRules: false));
        var now = await Client.GetAsync<CustomResourceDefinition>(null, Workspaces, default);
        Assert.DoesNotContain("x-kubernetes-validations", now.Spec!.Value.GetRawText(), StringComparison.Ordinal);
    }

    private Task<int> ApplyAsync(bool celRules = true) =>
        CrdInstaller.ApplyAsync(Client, celRules, TimeProvider.System, _output, _errors, default);

    private static JsonObject Properties(JsonNode definition, string list = "spec")
    {
        var spec = list == "spec" ? definition["spec"]! : definition;
        return spec["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!.AsObject();
    }
}
