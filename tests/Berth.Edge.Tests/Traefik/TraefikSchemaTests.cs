using System.Text.Json;
using Berth.Operator;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Edge.Tests.Traefik;

/// <summary>
/// What the operator writes for Traefik, held against Traefik's own definitions by an API server, which refuses unknown fields and values
/// that do not fit. BERTH_TEST_TRAEFIK_CRDS is a folder with a subfolder for each version, such as v3.0.0, and the files of traefik's
/// repository in it.
/// </summary>
public class TraefikSchemaTests
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("BERTH_TEST_TRAEFIK_CRDS");

    [SkippableTheory]
    [InlineData("v3.0.0")]
    [InlineData("v3.7.9")]
    public async Task Objects_OfTheBlueprint_FitTheDefinitions(string version)
    {
        Skip.If(string.IsNullOrEmpty(Folder), "needs Traefik's definitions (BERTH_TEST_TRAEFIK_CRDS=folder with v3.0.0 and v3.7.9)");
        Skip.IfNot(Directory.Exists(Path.Combine(Folder!, version)), $"BERTH_TEST_TRAEFIK_CRDS has no folder {version}");
        var data = Directory.CreateTempSubdirectory("berth-traefik-");
        try
        {
            await using var server = await KubeServer.StartAsync(
                new KubeServerOptions { DataDirectory = data.FullName, FlushToDisk = false }, NullLoggerFactory.Instance,
                TimeProvider.System);
            using var client = KubeClient.Create(KubeConfig.Parse(server.Kubeconfig), new KubeClientOptions());
            foreach (var file in (string[])["traefik.io_ingressroutes.yaml", "traefik.io_middlewares.yaml"])
            {
                await client.Raw.SendAsync(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                    await File.ReadAllBytesAsync(Path.Combine(Folder!, version, file)), "application/yaml", default);
            }

            await Cluster.ClusterFixture.Until(() => client.IsServedAsync(IngressRoute.Descriptor, default));
            await Cluster.ClusterFixture.Until(() => client.IsServedAsync(Middleware.Descriptor, default));
            await client.Raw.SendAsync(HttpMethod.Post, "/api/v1/namespaces", """{"metadata":{"name":"berth"}}"""u8.ToArray(),
                "application/json", default);

            var tls = new IngressRouteTls { SecretName = "wildcard" };
            Blueprint[] blueprints =
            [
                TraefikTests.BlueprintOf("ws-ready", true), TraefikTests.BlueprintOf("ws-starting", false),
                TraefikTests.BlueprintOf("ws-edge", true, RoutingMode.Edge, "https://berth.example.com", "work.example.dev", tls,
                    ["websecure"]),
                TraefikTests.BlueprintOf("ws-tls", true, RoutingMode.ForwardAuth, "https://berth.example.com", "work.example.dev",
                    new IngressRouteTls { CertResolver = "acme" }, ["websecure"]),
            ];
            foreach (var blueprint in blueprints)
            {
                await CreateAsync(
                    client, IngressRoute.Descriptor, JsonSerializer.SerializeToUtf8Bytes(blueprint.Route!, IngressRoute.JsonTypeInfo));
                foreach (var middleware in blueprint.Middlewares)
                {
                    await CreateAsync(
                        client, Middleware.Descriptor, JsonSerializer.SerializeToUtf8Bytes(middleware, Middleware.JsonTypeInfo));
                }
            }

            // That a wrong one is refused here, or the rest would show nothing.
            var wrong = await Assert.ThrowsAsync<KubeException>(() => CreateAsync(client, Middleware.Descriptor,
                """
                {"apiVersion":"traefik.io/v1alpha1","kind":"Middleware","metadata":{"name":"x"},"spec":{"forwardAuth":{"adress":"x"}}}
                """u8.ToArray()));
            Assert.Contains("adress", wrong.Message, StringComparison.Ordinal);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    private static Task<byte[]> CreateAsync(KubeClient client, ResourceDescriptor kind, byte[] body) => client.Raw.SendAsync(
        HttpMethod.Post, $"/apis/{kind.Group}/{kind.Version}/namespaces/berth/{kind.Plural}?fieldValidation=Strict", body,
        "application/json", default);
}
