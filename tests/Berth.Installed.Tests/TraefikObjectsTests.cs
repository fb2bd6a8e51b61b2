using System.Text;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Installed.Tests;

/// <summary>
/// What the chart renders for Traefik, held against Traefik's own definitions by an API server that refuses unknown fields and values that
/// do not fit. BERTH_TEST_TRAEFIK_CRDS is a folder with a subfolder for each version.
/// </summary>
public class TraefikObjectsTests
{
    private const string Group = "/apis/traefik.io/v1alpha1";

    [SkippableTheory]
    [InlineData("v3.0.0")]
    [InlineData("v3.7.9")]
    public async Task Objects_OfEveryOptionSet_FitTheDefinitions(string version)
    {
        Given.Rendering();
        Skip.If(Given.TraefikDefinitions is null, "needs Traefik's definitions (BERTH_TEST_TRAEFIK_CRDS=folder with v3.0.0 and v3.7.9)");
        var folder = Path.Combine(Given.TraefikDefinitions!, version);
        Skip.IfNot(Directory.Exists(folder), $"BERTH_TEST_TRAEFIK_CRDS has no folder {version}");
        var data = Directory.CreateTempSubdirectory("berth-traefik-");
        try
        {
            await using var server = await KubeServer.StartAsync(
                new KubeServerOptions { DataDirectory = data.FullName, FlushToDisk = false }, NullLoggerFactory.Instance,
                TimeProvider.System);
            using var client = KubeClient.Create(KubeConfig.Parse(server.Kubeconfig), new KubeClientOptions());
            foreach (var file in Directory.GetFiles(folder, "traefik.io_*.yaml"))
            {
                await client.Raw.SendAsync(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                    await File.ReadAllBytesAsync(file), "application/yaml", default);
            }

            await Wait.UntilAsync("kinds", TimeSpan.FromSeconds(30), async () =>
                (await KindsAsync(client)).Keys.ToHashSet().IsSupersetOf(["IngressRoute", "Middleware", "TLSOption"]));
            var plurals = await KindsAsync(client);
            var seen = new HashSet<string>();
            foreach (var set in Matrix.Sets.Keys)
            {
                await PostAsync(client, "/api/v1/namespaces", new JsonObject { ["metadata"] = new JsonObject { ["name"] = set } });
                foreach (var manifest in (await Matrix.Of(set).ManifestsAsync()).Where(m => m.ApiVersion == "traefik.io/v1alpha1"))
                {
                    manifest.Json["metadata"]!["namespace"] = set;
                    await PostAsync(client, $"{Group}/namespaces/{set}/{plurals[manifest.Kind]}?fieldValidation=Strict", manifest.Json);
                    seen.Add(manifest.Kind);
                }
            }

            // All that the chart has for Traefik was looked at, or a set is missing.
            Assert.Superset(new HashSet<string> { "IngressRoute", "Middleware", "TLSOption" }, seen);

            // That a wrong one is refused here, or the rest would show nothing.
            var wrong = JsonNode.Parse("""
                {
                  "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": { "name": "x" },
                  "spec": { "rateLimit": { "avarage": 1 } }
                }
                """)!.AsObject();
            var refusal = await Assert.ThrowsAsync<KubeException>(
                () => PostAsync(client, $"{Group}/namespaces/least/middlewares?fieldValidation=Strict", wrong));
            Assert.Contains("avarage", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static async Task<Dictionary<string, string>> KindsAsync(KubeClient client)
    {
        try
        {
            var found = JsonNode.Parse(await client.Raw.SendAsync(HttpMethod.Get, Group, default, null, default))!["resources"]!.AsArray();
            return found.Select(k => k!).ToDictionary(k => (string)k["kind"]!, k => (string)k["name"]!);
        }
        catch (KubeException error) when (error.Code == 404)
        {
            return [];
        }
    }

    private static Task<byte[]> PostAsync(KubeClient client, string path, JsonObject body) => client.Raw.SendAsync(
        HttpMethod.Post, path, Encoding.UTF8.GetBytes(body.ToJsonString()), "application/json", default);
}
