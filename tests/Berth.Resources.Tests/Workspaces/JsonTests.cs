using System.Text.Json;
using Kube.Client.Models;

namespace Berth.Resources.Tests;

public sealed class JsonTests
{
    [Fact]
    public void UserWorkspace_RoundTrip_KeepsEverything()
    {
        const string json = """
            {"apiVersion":"berth.dev/v1alpha1","kind":"UserWorkspace","metadata":{"name":"ws-a","namespace":"n","uid":"u","resourceVersion":"7"},
             "spec":{"owner":{"issuer":"https://i","subject":"s"},"template":{"name":"studio"},"parameters":{"a":"b"},"desiredState":"Stopped",
                     "lastRequest":{"by":"user","reason":"Manual","at":"2030-01-01T00:00:00Z"},
                     "sharing":[{"subject":"x","role":"view","until":"2030-01-02T00:00:00Z"}],"storage":{"deletionPolicy":"Delete"}},
             "status":{"phase":"Running","conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2030-01-01T00:00:00Z","reason":"Ready","message":""}],
                       "failure":{"class":"User","reason":"Crashed","attempts":2,"nextRetryAt":"2030-01-01T00:00:10Z"}}}
            """;
        var workspace = JsonSerializer.Deserialize(json, UserWorkspace.JsonTypeInfo)!;
        Assert.Equal("Stopped", workspace.Spec.DesiredState);
        Assert.Equal("view", Assert.Single(workspace.Spec.Sharing!).Role);
        Assert.Equal(DeletionPolicies.Delete, workspace.Spec.Storage!.DeletionPolicy);
        Assert.Equal(2, workspace.Status!.Failure!.Attempts);

        using var before = JsonDocument.Parse(json);
        using var after = JsonSerializer.SerializeToDocument(workspace, UserWorkspace.JsonTypeInfo);
        Assert.True(JsonElement.DeepEquals(before.RootElement, after.RootElement), after.RootElement.ToString());
    }

    [Fact]
    public void UserWorkspace_OnlyRequiredFields_HasDefaults()
    {
        // As an object written before a default existed, or read past the API's defaulting.
        var workspace = JsonSerializer.Deserialize("""{"spec":{"storage":{}}}""", UserWorkspace.JsonTypeInfo)!;
        Assert.Equal(DesiredStates.Running, workspace.Spec.DesiredState);
        Assert.Equal(DeletionPolicies.Retain, workspace.Spec.Storage!.DeletionPolicy);
        Assert.Equal("", workspace.Spec.Owner.Issuer);
    }

    [Fact]
    public void IngressRoute_WrittenAndRead_LooksAsTraefikWantsIt()
    {
        var route = new IngressRoute
        {
            Metadata = new ObjectMeta { Name = "a" },
            Spec = new IngressRouteSpec
            {
                Routes = [new Route { Match = "Host(`a`)", Services = [new RouteService { Name = "a", Port = 80 }] }],
                Tls = new(),
            },
        };
        Assert.Equal(
            """{"apiVersion":"traefik.io/v1alpha1","kind":"IngressRoute","metadata":{"name":"a"},"spec":{"routes":[{"kind":"Rule","match":"Host(\u0060a\u0060)","services":[{"name":"a","port":80}]}],"tls":{}}}""",
            JsonSerializer.Serialize(route, IngressRoute.JsonTypeInfo)
        );
    }
}
