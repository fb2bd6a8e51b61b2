using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests.Api;

/// <summary>The way of a person's variables from their preferences into the resources of their workspaces.</summary>
public class EnvironmentApiTests
{
    [Theory]
    [InlineData("PATH")]
    [InlineData("LD_PRELOAD")]
    [InlineData("WORKSPACE_URL")]
    [InlineData("A-B")]
    public async Task Put_NameThatCannotBe_RefusedByFieldAndNothingKept(string name)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var answer = await PutAsync(api, (name, "1"), ("FINE", "1"));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var error = Assert.Single(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["errors"]!.AsObject());
        Assert.Equal($"environment.{name}", error.Key);
        Assert.Empty((await AccountApiTests.JsonAsync(await api.GetAsync("/api/me/preferences")))["environment"]!.AsObject());
    }

    [Fact]
    public async Task Create_WithVariables_TheyAreInTheWorkspace_AndTheApiTellsTheirNamesOnly()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var put = await PutAsync(api, ("EDITOR", "vim"), ("A", "$(PORT)"));
        using var created = await api.PostAsync("/api/workspaces", null);

        var workspace = edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!;
        Assert.Equal([("A", "$(PORT)"), ("EDITOR", "vim")], Variables(workspace));
        var body = await created.Content.ReadAsStringAsync();
        Assert.Equal(["A", "EDITOR"], JsonNode.Parse(body)!["environment"]!.AsArray().Select(n => (string?)n));
        Assert.DoesNotContain("vim", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_TheWorkspacesOfThePersonAreChanged_AndNobodyElses()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var one = edge.Api("user1");
        using var two = edge.Api("user2");
        await one.PostAsync("/api/workspaces", null);
        await one.PostAsJsonAsync("/api/workspaces", new { name = "a" });
        await two.PostAsync("/api/workspaces", null);
        var versions = Versions(edge);

        using var put = await PutAsync(one, ("EDITOR", "vim"));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Equal([("EDITOR", "vim")], Variables(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!));
        Assert.Equal([("EDITOR", "vim")], Variables(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1") + "-a")!));
        Assert.Equal(versions["user2"], Versions(edge)["user2"]);

        // The same once more, or another template, costs no write; nobody's restart is asked for.
        versions = Versions(edge);
        using var again = await AccountApiTests.PutAsync(one, "/api/me/preferences", """{"template":"studio","environment":{"EDITOR":"vim"}}""");
        Assert.Equal(versions, Versions(edge));
        Assert.Null(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Metadata.Annotations!.GetValueOrDefault(Annotations.RestartedAt));

        using var deleted = await one.DeleteAsync("/api/me/preferences");
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Null(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Spec.Environment);

        Dictionary<string, string?> Versions(ProductFixture edge) => new[] { "user1", "user2" }
            .ToDictionary(u => u, u => edge.Kube.Find<UserWorkspace>(edge.NameOf(u))!.Metadata.ResourceVersion);
    }

    [Fact]
    public async Task Put_SomebodyWritesTheWorkspaceMeanwhile_BothWritesStay()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var name = edge.NameOf("user1");
        var conflicts = 0;
        edge.Kube.Fail = (verb, plural) =>
        {
            if (verb == "patch" && plural == "userworkspaces" && conflicts++ == 0)
            {
                // Before the patch arrives: it is for a version that is gone.
                var now = edge.Kube.Find<UserWorkspace>(name)!;
                edge.Kube.Put(now with { Spec = now.Spec with { Debug = true } });
            }

            return null;
        };
        using var put = await PutAsync(api, ("EDITOR", "vim"));

        var workspace = edge.Kube.Find<UserWorkspace>(name)!;
        Assert.Equal(2, conflicts);
        Assert.True(workspace.Spec.Debug);
        Assert.Equal([("EDITOR", "vim")], Variables(workspace));
    }

    [Fact]
    public async Task Put_AnotherReplicaTakesLaterPreferencesFirst_TheLaterOnesStay()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var name = edge.NameOf("user1");
        var later = new PreferenceWish { Environment = new Dictionary<string, string> { ["EDITOR"] = "nano" } };
        var patches = 0;
        edge.Kube.Fail = (verb, plural) =>
        {
            if (verb == "patch" && plural == "userworkspaces" && patches++ == 0)
            {
                // All of it before the first patch of this replica arrives.
                edge.Get<IAccountStore>().Preferences.PutAsync(new(edge.Provider.Issuer, "user1"), later, null, default).GetAwaiter().GetResult();
                var now = edge.Kube.Find<UserWorkspace>(name)!;
                var wanted = EnvironmentChange.Wanted(later);
                var annotations = new Dictionary<string, string>(now.Metadata.Annotations ?? new Dictionary<string, string>())
                {
                    [Annotations.Environment] = EnvironmentChange.Mark(wanted)!,
                };
                edge.Kube.Put(now with
                {
                    Metadata = now.Metadata with { Annotations = annotations },
                    Spec = now.Spec with { Environment = wanted },
                });
            }

            return null;
        };
        using var put = await PutAsync(api, ("EDITOR", "vim"));

        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Equal(1, patches);
        Assert.Equal([("EDITOR", "nano")], Variables(edge.Kube.Find<UserWorkspace>(name)!));
    }

    [Theory]
    [InlineData("start", false)]
    [InlineData("start", true)]
    [InlineData("restart", false)]
    [InlineData("visit", false)]
    public async Task Put_ClusterAway_AnsweredAndTheNextStartHasThem(string how, bool withVersion)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsJsonAsync("/api/workspaces", new { start = false });
        var name = edge.NameOf("user1");
        edge.Kube.Fail = (verb, plural) => plural == "userworkspaces" && verb == "patch" ? FakeKube.Error(503, "ServiceUnavailable", "away") : null;
        using var put = await PutAsync(api, ("EDITOR", "vim"));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Null(edge.Kube.Find<UserWorkspace>(name)!.Spec.Environment);
        edge.Kube.Fail = (_, _) => null;

        if (how == "visit")
        {
            var browser = await edge.SignedInAsync("user1");
            using var page = await browser.FollowAsync($"{ProductFixture.Origin}/start");
        }
        else
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/workspaces/{name}/{how}");
            if (withVersion)
            {
                request.Headers.TryAddWithoutValidation("If-Match", $"\"{edge.Kube.Find<UserWorkspace>(name)!.Metadata.ResourceVersion}\"");
            }

            using var started = await api.SendAsync(request);
            Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        }

        await ProductFixture.Until(() => edge.Kube.Find<UserWorkspace>(name)!.Spec.DesiredState == DesiredStates.Running);
        Assert.Equal([("EDITOR", "vim")], Variables(edge.Kube.Find<UserWorkspace>(name)!));
    }

    [Fact]
    public async Task Start_DatabaseAway_StartsWithTheVariablesItHas()
    {
        var accounts = new BrokenAccounts();
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        using var api = edge.Api("user1");
        using var put = await PutAsync(api, ("EDITOR", "vim"));
        await api.PostAsJsonAsync("/api/workspaces", new { start = false });
        accounts.IsDown = true;

        using var started = await api.PostAsync($"/api/workspaces/{edge.NameOf("user1")}/start", null);

        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        Assert.Equal([("EDITOR", "vim")], Variables(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!));
    }

    private static IEnumerable<(string, string?)> Variables(UserWorkspace workspace) => workspace.Spec.Environment!.Select(v => (v.Name, v.Value));

    private static Task<HttpResponseMessage> PutAsync(HttpClient api, params (string Name, string Value)[] variables) => AccountApiTests.PutAsync(
        api, "/api/me/preferences",
        new JsonObject { ["environment"] = new JsonObject(variables.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)v.Value))) }.ToJsonString());
}
