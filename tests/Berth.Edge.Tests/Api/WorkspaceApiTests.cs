using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Api;

public class WorkspaceApiTests
{
    [Fact]
    public async Task Create_WithoutAnything_DefaultWorkspaceOnceThen200()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");

        using var first = await api.PostAsync("/api/workspaces", null);
        using var second = await api.PostAsync("/api/workspaces", null);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal($"/api/workspaces/{edge.NameOf("user1")}", first.Headers.Location!.ToString());
        var body = await JsonAsync(first);
        Assert.Equal(edge.NameOf("user1"), (string?)body["name"]);
        Assert.Equal($"http://{edge.NameOf("user1")}.localhost:8080", (string?)body["url"]);
        var stored = edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!;
        Assert.Equal((edge.Provider.Issuer, "user1", "studio"),
            (stored.Spec.Owner.Issuer, stored.Spec.Owner.Subject, stored.Spec.Template.Name));
        Assert.Equal(WorkspaceNames.OwnerHash(edge.Provider.Issuer, "user1"), stored.Metadata.Labels![Labels.Owner]);
    }

    [Theory]
    [InlineData("""{"name":"a"}""", "Running")]
    [InlineData("""{"name":"a","start":true}""", "Running")]
    [InlineData("""{"name":"a","start":false}""", "Stopped")]
    [InlineData("""{}""", "Running")]
    public async Task Create_WithAndWithoutStart_RunsUnlessToldNotTo(string body, string desired)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");

        using var answer = await api.PostAsync("/api/workspaces", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(desired, (string?)(await JsonAsync(answer))["desiredState"]);
    }

    [Fact]
    public async Task Create_ByTwoReplicasAtOnce_OneWorkspace()
    {
        var kube = new FakeKube();
        await using var one = await ProductFixture.StartAsync(kube: kube);
        await using var two = await ProductFixture.StartAsync(o => o with { Edge = EdgeFixture.Options(one.Provider.Issuer) }, kube: kube);
        using var apiOne = one.Api("user1");
        one.Provider.Subject = "user1";
        using var apiTwo = new HttpClient(two.NewHandler()) { BaseAddress = new Uri(ProductFixture.Origin) };
        apiTwo.DefaultRequestHeaders.Authorization = apiOne.DefaultRequestHeaders.Authorization;

        var answers = await Task.WhenAll(Enumerable.Range(0, 10)
            .Select(i => (i % 2 == 0 ? apiOne : apiTwo).PostAsync("/api/workspaces", null)));

        Assert.All(answers, a => Assert.True(a.IsSuccessStatusCode, a.StatusCode.ToString()));
        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Created);
        Assert.NotNull(kube.Find<UserWorkspace>(one.NameOf("user1")));
    }

    [Fact]
    public async Task List_TwoPeople_EachSeesTheirOwn()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var one = edge.Api("user1");
        using var two = edge.Api("user2");
        await one.PostAsync("/api/workspaces", null);
        await two.PostAsync("/api/workspaces", null);

        var list = await JsonAsync(await one.GetAsync("/api/workspaces"));

        Assert.Equal([edge.NameOf("user1")], list["items"]!.AsArray().Select(i => (string)i!["name"]!));
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("PATCH", "")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/start")]
    [InlineData("POST", "/stop")]
    [InlineData("POST", "/restart")]
    [InlineData("GET", "/events")]
    [InlineData("GET", "/logs")]
    public async Task Anything_OnSomebodyElsesWorkspace_404AndUntouched(string method, string path)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var owner = edge.Api("user1");
        using var stranger = edge.Api("user2");
        await owner.PostAsync("/api/workspaces", null);
        var before = edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Metadata.ResourceVersion;

        using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/workspaces/{edge.NameOf("user1")}{path}");
        if (method == "PATCH")
        {
            request.Content = new StringContent("""{"displayName":"x"}""", Encoding.UTF8, "application/json");
        }

        using var answer = await stranger.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("urn:berth:problem:workspace-not-found", (string?)(await JsonAsync(answer))["type"]);
        Assert.Equal(before, edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Metadata.ResourceVersion);
    }

    [Fact]
    public async Task Administrator_SeesAllWithAll_OthersGet403()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var one = edge.Api("user1");
        using var admin = edge.Api("admin");
        await one.PostAsync("/api/workspaces", null);

        Assert.Empty((await JsonAsync(await admin.GetAsync("/api/workspaces")))["items"]!.AsArray());
        Assert.Single((await JsonAsync(await admin.GetAsync("/api/workspaces?all=true")))["items"]!.AsArray());
        using var stop = await admin.PostAsync($"/api/workspaces/{edge.NameOf("user1")}/stop", null);
        Assert.Equal(HttpStatusCode.Accepted, stop.StatusCode);
        Assert.Equal(RequestedBy.Admin, edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Spec.LastRequest!.By);
        using var refused = await one.GetAsync("/api/workspaces?all=true");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task StopStartRestart_Owner_ChangesTheWishAndShowsIt()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var path = $"/api/workspaces/{edge.NameOf("user1")}";

        var stopped = await JsonAsync(await api.PostAsync(path + "/stop", null));
        Assert.Equal("Stopped", (string?)stopped["desiredState"]);
        Assert.Equal(("user", "Manual"), ((string?)stopped["lastRequest"]!["by"], (string?)stopped["lastRequest"]!["reason"]));
        Assert.Equal("Stopped", (string?)(await JsonAsync(await api.GetAsync(path)))["desiredState"]);

        var started = await JsonAsync(await api.PostAsync(path + "/start", null));
        Assert.Equal("Running", (string?)started["desiredState"]);

        await api.PostAsync(path + "/restart", null);
        Assert.NotNull(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Metadata.Annotations![Annotations.RestartedAt]);
    }

    [Fact]
    public async Task Start_AlreadyRunning_WritesNothing()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        edge.Kube.Writes.Clear();

        using var answer = await api.PostAsync($"/api/workspaces/{edge.NameOf("user1")}/start", null);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Empty(edge.Kube.Writes);
    }

    [Fact]
    public async Task IfMatch_OldVersion_412AndUnchanged()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        var path = $"/api/workspaces/{edge.NameOf("user1")}";
        await api.PostAsync(path + "/stop", null);

        foreach (var (method, to) in (ReadOnlySpan<(string, string)>)[("POST", "/start"), ("DELETE", ""), ("PATCH", "")])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path + to);
            request.Headers.TryAddWithoutValidation("If-Match", created.Headers.ETag!.ToString());
            request.Content = method == "PATCH" ? JsonContent.Create(new { displayName = "x" }) : null;
            using var answer = api.Send(request);
            Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode);
        }

        Assert.Equal("Stopped", edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Spec.DesiredState);
        using var fresh = await api.GetAsync(path);
        using var ok = new HttpRequestMessage(HttpMethod.Post, path + "/start");
        ok.Headers.TryAddWithoutValidation("If-Match", fresh.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.Accepted, (await api.SendAsync(ok)).StatusCode);
    }

    [Fact]
    public async Task Get_IfNoneMatch_304()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var created = await api.PostAsync("/api/workspaces", null);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/workspaces/{edge.NameOf("user1")}");
        request.Headers.TryAddWithoutValidation("If-None-Match", created.Headers.ETag!.ToString());

        Assert.Equal(HttpStatusCode.NotModified, (await api.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("""{"name":"Bad Name"}""", 422, "name")]
    [InlineData("""{"name":"-x"}""", 422, "name")]
    [InlineData("""{"name":"a--b"}""", 422, "name")]
    [InlineData("""{"displayName":"!!!"}""", 422, "displayName")]
    [InlineData("""{"name":"a","template":"none"}""", 422, "template")]
    [InlineData("""{"name":"a","parameters":{"nope":"1"}}""", 422, "parameters.nope")]
    [InlineData("""{"name":"a","parameters":{"size":"x"}}""", 422, "parameters.size")]
    [InlineData("""{"name":"a","parameters":{"size":"99"}}""", 422, "parameters.size")]
    [InlineData("""{"name":"a","unknown":1}""", 400, null)]
    [InlineData("""{"name":1}""", 400, null)]
    [InlineData("""{"name":"a","name":"b"}""", 400, null)]
    [InlineData("""{"name":""", 400, null)]
    [InlineData("null", 400, null)]
    [InlineData("[]", 400, null)]
    public async Task Create_BadInput_NamesTheFieldAndCreatesNothing(string body, int status, string? field)
    {
        await using var edge = await ProductFixture.StartAsync();
        edge.Kube.Put(ProductFixture.Template("studio",
            new TemplateParameter { Name = "size", Type = ParameterTypes.Number, Env = "SIZE", Minimum = 1, Maximum = 9 }));
        using var api = edge.Api("user1");
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Template("studio")?.Spec.Parameters?.Count == 1);
        edge.Kube.Writes.Clear();

        using var answer = await api.PostAsync("/api/workspaces", new StringContent(body, Encoding.UTF8, "application/json"));

        var problem = await JsonAsync(answer);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Empty(edge.Kube.Writes);
        if (field is not null)
        {
            Assert.Contains(field, problem["errors"]!.AsObject().Select(e => e.Key));
        }
    }

    [Fact]
    public async Task Templates_Retired_AreNotOffered_AndNotTaken()
    {
        await using var edge = await ProductFixture.StartAsync();
        var old = ProductFixture.Template("old");
        edge.Kube.Put(old with { Spec = old.Spec with { Retired = new TemplateRetirement { Successor = "studio" } } });
        using var api = edge.Api("user1");
        await ProductFixture.Until(() => edge.Get<WorkspaceWatch>().Template("old") is not null);
        edge.Kube.Writes.Clear();

        var list = await api.GetStringAsync("/api/templates");
        Assert.Contains("\"studio\"", list, StringComparison.Ordinal);
        Assert.DoesNotContain("\"old\"", list, StringComparison.Ordinal);

        using var answer = await api.PostAsync("/api/workspaces",
            new StringContent("""{"name":"a","template":"old"}""", Encoding.UTF8, "application/json"));
        Assert.Equal(422, (int)answer.StatusCode);
        Assert.Contains("is retired; take one of studio", (await JsonAsync(answer))["errors"]!["template"]!.ToJsonString(),
            StringComparison.Ordinal);
        Assert.Empty(edge.Kube.Writes);
    }

    [Fact]
    public async Task Create_TooLargeOrOtherType_413And415()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");

        using var large = await api.PostAsync("/api/workspaces",
            new StringContent("{\"name\":\"" + new string('a', 70_000) + "\"}", Encoding.UTF8, "application/json"));
        using var text = await api.PostAsync("/api/workspaces", new StringContent("{}", Encoding.UTF8, "text/plain"));

        Assert.Equal((413, 415), ((int)large.StatusCode, (int)text.StatusCode));
    }

    [Fact]
    public async Task Create_MoreThanAllowed_409WithTheNumber()
    {
        await using var edge = await ProductFixture.StartAsync(o => o with { Workspaces = o.Workspaces with { MaximumPerPerson = 2 } });
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        using var second = await api.PostAsJsonAsync("/api/workspaces", new { displayName = "My Next Project" });
        using var third = await api.PostAsJsonAsync("/api/workspaces", new { name = "third" });

        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal($"{edge.NameOf("user1")}-my-next-project", (string?)(await JsonAsync(second))["name"]);
        Assert.Equal(HttpStatusCode.Conflict, third.StatusCode);
        Assert.Contains("may have 2", (string?)(await JsonAsync(third))["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patch_MergesAndRefusesWhatCannotChange()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var path = $"/api/workspaces/{edge.NameOf("user1")}";

        using var changed = await api.PatchAsync(path, JsonContent.Create(new { displayName = "Lab", resources = new { cpu = "2" } }));
        using var refused = await api.PatchAsync(path,
            JsonContent.Create(new { owner = new { subject = "x" }, resources = new { gpu = "1" }, parameters = 3 }));

        Assert.Equal(("Lab", "2"), ((string?)(await JsonAsync(changed))["displayName"], (string?)(await JsonAsync(changed))["resources"]![
            "cpu"]));
        Assert.Equal(["owner", "parameters", "resources.gpu"], (await JsonAsync(refused))["errors"]!.AsObject().Select(e => e.Key)
            .Order(StringComparer.Ordinal));
        Assert.Equal("user1", edge.Kube.Find<UserWorkspace>(edge.NameOf("user1"))!.Spec.Owner.Subject);
    }

    [Fact]
    public async Task ApiServerRefusals_BecomeClearProblems()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var path = $"/api/workspaces/{edge.NameOf("user1")}";

        edge.Kube.Fail = (verb, _) => verb == "patch"
            ? FakeKube.Error(422, "Invalid", "UserWorkspace is invalid", ("spec.resources.cpu", "Invalid value: \"-1\": must be positive"),
                ("spec.parameters", "too long"), ("<nil>", "some validation rules were not checked"))
            : null;
        var invalid = await JsonAsync(await api.PatchAsync(path, JsonContent.Create(new { resources = new { cpu = "-1" } })));
        Assert.Equal((422, "Invalid value: \"-1\": must be positive."),
            ((int)invalid["status"]!, (string?)invalid["errors"]!["resources.cpu"]));
        Assert.Equal("too long.", (string?)invalid["errors"]!["parameters"]);
        Assert.Equal(2, invalid["errors"]!.AsObject().Count);

        edge.Kube.Fail = (_, _) => FakeKube.Error(403, "Forbidden", "exceeded quota: people");
        var quota = await JsonAsync(await api.PostAsync(path + "/stop", null));
        Assert.Equal("quota", (string?)quota["reason"]);

        edge.Kube.Fail = (_, _) => new Kube.Client.KubeException("connection refused", null);
        using var away = await api.PostAsync(path + "/stop", null);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.NotNull(away.Headers.RetryAfter);
        Assert.NotNull((string?)(await JsonAsync(away))["requestId"]);

        // What is read comes from memory and goes on.
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task Delete_ThenGet_404()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var path = $"/api/workspaces/{edge.NameOf("user1")}";

        using var deleted = await api.DeleteAsync(path);

        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task Unauthenticated_401JsonEvenForBrowsers()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = edge.NewBrowser();
        foreach (var path in (string[])["/api/me", "/api/workspaces", "/api/workspaces/ws-x", "/api/templates"])
        {
            using var answer = await browser.GetAsync(ProductFixture.Origin + path);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            Assert.Equal("/login", (string?)(await JsonAsync(answer))["loginUrl"]);
        }
    }

    [Fact]
    public async Task Cookie_FromAnotherSite_RefusedAndNothingChanged()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        foreach (var headers in new (string, string)[][]
        {
            [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
            [("Origin", "http://ws-abc.localhost:8080")],
            [],
        })
        {
            using var answer = await browser.SendAsync($"{ProductFixture.Origin}/api/workspaces", HttpMethod.Post, null, headers);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }

        Assert.Null(edge.Kube.Find<UserWorkspace>(edge.NameOf("user1")));
        using var own = await browser.SendAsync($"{ProductFixture.Origin}/api/workspaces", HttpMethod.Post, null,
            ("Origin", ProductFixture.Origin), ("Sec-Fetch-Site", "same-origin"));
        Assert.Equal(HttpStatusCode.Created, own.StatusCode);
    }

    [Fact]
    public async Task Logs_TailAndFollow_StreamsAsItComes()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var name = edge.NameOf("user1");
        using var none = await api.GetAsync($"/api/workspaces/{name}/logs");
        Assert.Equal(HttpStatusCode.Conflict, none.StatusCode);

        edge.Kube.Put(new Pod
        {
            Metadata = new ObjectMeta
            {
                Name = $"{name}-1",
                Namespace = ProductFixture.Namespace,
                Labels = new Dictionary<string, string> { [Labels.Workspace] = name }
            }
        });
        var pipe = new System.IO.Pipelines.Pipe();
        edge.Kube.Logs[$"{name}-1"] = options =>
        {
            Assert.Equal((true, 5), (options.Follow, options.TailLines));
            return pipe.Reader.AsStream();
        };
        using var answer = await api.GetAsync($"/api/workspaces/{name}/logs?follow=true&tail=5", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        await pipe.Writer.WriteAsync("first\n"u8.ToArray());
        Assert.Equal("first", await reader.ReadLineAsync());
        await pipe.Writer.WriteAsync("second\n"u8.ToArray());
        Assert.Equal("second", await reader.ReadLineAsync());
        await pipe.Writer.CompleteAsync();
        Assert.Null(await reader.ReadLineAsync());

        using var bad = await api.GetAsync($"/api/workspaces/{name}/logs?tail=-1");
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
    }

    [Fact]
    public async Task Events_OfWorkspaceAndPod_OldestFirstOthersLeftOut()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        var name = edge.NameOf("user1");
        edge.Kube.Put(new Pod
        {
            Metadata = new ObjectMeta
            {
                Name = $"{name}-1",
                Labels = new
            Dictionary<string, string>
                { [Labels.Workspace] = name }
            }
        });
        edge.Kube.Put(Event("e1", "Pod", $"{name}-1", "Pulled", 2));
        edge.Kube.Put(Event("e2", "UserWorkspace", name, "Started", 1));
        edge.Kube.Put(Event("e3", "UserWorkspace", "ws-other", "Secret", 3));

        var events = await JsonAsync(await api.GetAsync($"/api/workspaces/{name}/events"));

        Assert.Equal(["Started", "Pulled"], events["items"]!.AsArray().Select(e => (string)e!["reason"]!));
    }

    [Fact]
    public async Task Watch_Changes_FullListAfterEach()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using var stream = await api.GetAsync("/api/workspaces/events", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync());
        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType!.MediaType);
        Assert.Empty((await NextEventAsync(reader))["items"]!.AsArray());

        using var other = edge.Api("user1");
        await other.PostAsync("/api/workspaces", null);

        Assert.Single((await NextEventAsync(reader))["items"]!.AsArray());
    }

    [Fact]
    public async Task Me_Bearer_SaysWho()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("admin");
        var me = await JsonAsync(await api.GetAsync("/api/me"));
        Assert.Equal((edge.Provider.Issuer, "admin", true, "bearer"),
            ((string?)me["issuer"], (string?)me["subject"], (bool)me["administrator"]!, (string?)me["authenticatedBy"]));
    }

    [Fact]
    public async Task Commands_AreAudited()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await api.PostAsync("/api/workspaces", null);
        await api.PostAsync($"/api/workspaces/{edge.NameOf("user1")}/stop", null);

        var events = await edge.Get<IAccountStore>()
            .ListAuditAsync(new AuditQuery { Actor = new PersonKey(edge.Provider.Issuer, "user1") }, default);
        Assert.Equal(["workspace.stop", "workspace.create"], events.Select(e => e.Action));
        Assert.All(events, e => Assert.False(string.IsNullOrEmpty(e.RequestId)));
    }

    internal static async Task<JsonObject> JsonAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();

    private static CoreEvent Event(string id, string kind, string about, string reason, int minute) => new()
    {
        Metadata = new ObjectMeta { Name = id },
        InvolvedObject = new ObjectReference { Kind = kind, Name = about },
        Reason = reason,
        LastTimestamp = new DateTimeOffset(2030, 1, 1, 0, minute, 0, TimeSpan.Zero),
    };

    private static async Task<JsonObject> NextEventAsync(StreamReader reader)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await reader.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return JsonNode.Parse(line["data: ".Length..])!.AsObject();
            }
        }

        throw new JsonException("the stream ended");
    }
}
