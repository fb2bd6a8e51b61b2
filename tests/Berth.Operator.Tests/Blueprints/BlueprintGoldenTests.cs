using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// What a workspace becomes, case by case, in files that a person can read. UPDATE_GOLDEN=1 writes them anew; the diff is the review.
/// </summary>
public sealed class BlueprintGoldenTests
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        IndentSize = 2
    };

    public static TheoryData<string> Cases => [.. Inputs.Keys];

    private static readonly Dictionary<string, Func<Blueprint>> Inputs = new()
    {
        ["plain"] = () => Blueprint.For(TestData.Workspace(), TestData.Template(), TestData.Settings, new BlueprintFacts()),
        ["connections"] = () => Blueprint.For(
            TestData.Workspace(), TestData.Template(s => s with { Connections = ["github"] }), TestData.Settings, new BlueprintFacts()),
        ["forward-auth-ready"] = () => Blueprint.For(
            TestData.Workspace(), TestData.Template(), TestData.Settings, new BlueprintFacts { TraefikServed = true, PodReady = true }),
        ["forward-auth-not-ready"] = () => Blueprint.For(
            TestData.Workspace(), TestData.Template(), TestData.Settings, new BlueprintFacts { TraefikServed = true }),
        ["routing-edge-tls"] = () => Blueprint.For(
            TestData.Workspace(),
            TestData.Template(),
            TestData.Settings with
            {
                Urls = new WorkspaceUrls(new Uri("https://berth.example.com"), "work.example.dev"),
                Routing = RoutingMode.Edge,
                EntryPoints = ["websecure"],
                Tls = new IngressRouteTls { SecretName = "wildcard" },
                Edge = new EdgeService(TestData.Ns, "edge", 8000, 8080),
            },
            new BlueprintFacts { TraefikServed = true, PodReady = true }),
        ["everything"] = () => Blueprint.For(
            TestData.Workspace(s => s with
            {
                Parameters = new Dictionary<string, string> { ["threads"] = "8", ["notes"] = "no comment" },
                Environment =
                [
                    new WorkspaceVariable { Name = "PRICE", Value = "$5, not $(PORT)" },
                    new WorkspaceVariable { Name = "EDITOR", Value = "vim" },
                    new WorkspaceVariable { Name = "LANGUAGE", Value = "the template's own" },
                ],
                Resources = new WorkspaceResources { Cpu = "250m", Memory = "2Gi", Storage = "20Gi" },
                Storage = new WorkspaceStorage { DeletionPolicy = DeletionPolicies.Delete },
            }),
            TestData.Template(s => s with
            {
                Command = ["/app"],
                Args = ["--port=$(PORT)"],
                Env = [new TemplateVariable { Name = "HOME", Value = "$(WORKSPACE_ROOT)" }],
                Port = 8888,
                Probes = new TemplateProbes
                {
                    Liveness = new TemplateProbe
                    {
                        Path = "/live",
                        InitialDelaySeconds = 30,
                        FailureThreshold = 9
                    }
                },
                Resources = new TemplateResources
                {
                    Requests = new ComputeResources { Cpu = "500m", Memory = "1Gi" },
                    Limits = new ComputeResources { Cpu = "1", Memory = "1Gi" },
                    Ceiling = new WorkspaceResources { Cpu = "4", Memory = "8Gi", Storage = "50Gi" },
                },
                Storage = new TemplateStorage { Size = "5Gi", StorageClassName = "fast", MountPath = "/home/work" },
                SecurityContext = new TemplateSecurity { RunAsUser = 1001, RunAsGroup = 100, FsGroup = 200, ReadOnlyRootFilesystem = true },
                Parameters =
                [
                    new TemplateParameter { Name = "threads", Type = ParameterTypes.Number, Minimum = 1, Maximum = 32, Default = "2",
                        Env = "OMP_NUM_THREADS" },
                    new TemplateParameter { Name = "dark", Type = ParameterTypes.Flag, Default = "true", Env = "DARK" },
                    new TemplateParameter { Name = "lang", Type = ParameterTypes.Choice, Values = ["en", "de"], Default = "de",
                        Env = "LANGUAGE" },
                    new TemplateParameter { Name = "notes", Pattern = "[a-z ]+", Env = "NOTES" },
                    new TemplateParameter { Name = "unset", Env = "UNSET" },
                ],
            }),
            TestData.Settings with
            {
                ImagePullPolicy = "IfNotPresent",
                Network = new NetworkSettings
                {
                    AllowedSources = ["192.0.2.0/24"],
                    DeniedDestinations = ["198.51.100.7/32",
                    "2001:db8::/32"]
                },
            },
            new BlueprintFacts()),
        ["existing-larger-volume"] = () => Blueprint.For(
            TestData.Workspace(s => s with { Resources = new WorkspaceResources { Storage = "5Gi" } }),
            TestData.Template(s => s with { Storage = s.Storage! with { StorageClassName = "new-class" } }),
            TestData.Settings,
            new BlueprintFacts
            {
                Volume = new PersistentVolumeClaim
                {
                    Spec = new PersistentVolumeClaimSpec
                    {
                        AccessModes = ["ReadWriteOncePod"],
                        StorageClassName = "old-class",
                        Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = "10Gi" } },
                    },
                },
            }),
        ["invalid-parameters"] = () => Blueprint.For(
            TestData.Workspace(s => s with
            {
                Environment = [new WorkspaceVariable { Name = "LD_PRELOAD", Value = "/tmp/mine.so" }],
                Parameters = new Dictionary<string, string> { ["threads"] = "many", ["colour"] = "red", ["long"] = new('x', 300) },
                Resources = new WorkspaceResources { Memory = "1Ti", Storage = "-1Gi" },
            }),
            TestData.Template(s => s with
            {
                Resources = new TemplateResources { Ceiling = new WorkspaceResources { Memory = "8Gi" } },
                Parameters =
                [
                    new TemplateParameter { Name = "threads", Type = ParameterTypes.Number, Minimum = 1, Env = "THREADS" },
                    new TemplateParameter { Name = "long", Env = "LONG" },
                    new TemplateParameter { Name = "key", Required = true, Env = "KEY" },
                ],
            }),
            TestData.Settings,
            new BlueprintFacts()),
        ["unusable-template"] = () => Blueprint.For(
            TestData.Workspace(),
            TestData.Template(s => s with
            {
                Image = " ",
                Storage = new TemplateStorage { Size = "none", MountPath = "/a/../etc" },
                Env = [new TemplateVariable { Name = "PORT", Value = "1" }, new TemplateVariable { Name = "A", Value = "1" },
                    new TemplateVariable { Name = "A B" }],
                Parameters = [new TemplateParameter { Name = "a", Default = "x", Env = "A" }, new TemplateParameter { Name = "b",
                    Default = "x", Pattern = "(", Env = "B" }],
            }),
            TestData.Settings,
            new BlueprintFacts()),
        ["no-template"] = () => Blueprint.For(TestData.Workspace(), null, TestData.Settings, new BlueprintFacts()),
        ["unusable-name"] = () => Blueprint.For(TestData.Workspace(name: "a.b`)"), TestData.Template(), TestData.Settings,
            new BlueprintFacts { TraefikServed = true }),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void For_Case_IsTheGoldenFile(string name)
    {
        var path = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Golden", name + ".json");
        var actual = Write(Inputs[name]());
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"There is no {path}. Run the test once with UPDATE_GOLDEN=1 and read what it wrote.");
        Assert.Equal(File.ReadAllText(path), actual);
    }

    [Fact]
    public void For_SameInputs_SameAnswer() => Assert.Equal(Write(Inputs["everything"]()), Write(Inputs["everything"]()));

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private static string Write(Blueprint blueprint)
    {
        var json = new JsonObject
        {
            ["url"] = blueprint.Url,
            ["revision"] = blueprint.Revision,
            ["shrinkRefusal"] = blueprint.ShrinkRefusal,
            ["problems"] = new JsonArray([.. blueprint.Problems.Select(p => (JsonNode)$"{p.Class}/{p.Reason}: {p.Message}")]),
            ["volume"] = Node(blueprint.Volume, PersistentVolumeClaim.JsonTypeInfo),
            ["pod"] = Node(blueprint.Pod, Pod.JsonTypeInfo),
            ["service"] = Node(blueprint.Service, Service.JsonTypeInfo),
            ["networkPolicy"] = Node(blueprint.NetworkPolicy, NetworkPolicy.JsonTypeInfo),
            ["route"] = Node(blueprint.Route, IngressRoute.JsonTypeInfo),
            ["middlewares"] = new JsonArray([.. blueprint.Middlewares.Select(m => Node(m, Middleware.JsonTypeInfo))]),
        };
        return json.ToJsonString(Readable) + "\n";
    }

    private static JsonNode? Node<T>(T? value, JsonTypeInfo<T> type)
        where T : class => value is null ? null : JsonSerializer.SerializeToNode(value, type);
}
