using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Testing;

namespace Berth.Edge.Tests.Management;

/// <summary>Why a request was answered as it was, as administrators ask for it.</summary>
public partial class RequestExplanationTests
{
    [Fact]
    public async Task Explain_WorkspaceOfSomebodyElse_NamesTheRuleAndNoSecret()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await OwnWorkspaceAsync(edge);
        using var stranger = edge.Api("user2");

        using var refused = await stranger.GetAsync($"{edge.HostOf("user1")}/files?key=query-secret");
        var (why, text) = await WhyAsync(edge, refused);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("forbidden: not-shared", (string?)why["rule"]);
        Assert.Equal("bearer", (string?)why["caller"]);
        Assert.Equal(edge.Provider.Issuer, (string?)why["issuer"]);
        Assert.Equal(("/files", 403, "workspace"), ((string?)why["path"], (int)why["status"]!, (string?)why["hostKind"]));
        Assert.NotNull((string?)why["keyId"]);
        foreach (var secret in (string[])["query-secret", stranger.DefaultRequestHeaders.Authorization!.Parameter!, "user2"])
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Explain_Forwarded_NamesTheRoleAndTheTarget()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await OwnWorkspaceAsync(edge);
        using var owner = edge.Api("user1");

        using var answer = await owner.GetAsync($"{edge.HostOf("user1")}/files");
        var (why, _) = await WhyAsync(edge, answer);

        Assert.Equal(("allowed: owner", "workspace", $"127.0.0.1:{upstream.Port}", "None"),
            ((string?)why["rule"], (string?)why["route"], (string?)why["upstream"], (string?)why["outcome"]));
        Assert.Equal(edge.NameOf("user1"), (string?)why["workspace"]);
    }

    [Theory]
    [InlineData("exp", -3600, "Time", "exp, nbf or iat", -3600)]
    [InlineData("nbf", 600, "Time", "exp, nbf or iat", 600)]
    [InlineData("aud", 0, "Audience", "aud", null)]
    public async Task Explain_TokenThatDoesNotFit_NamesKeyClaimAndSkew(string claim, int seconds, string error, string named, int? skew)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var client = edge.Api("user1");
        var claims = edge.Provider.AccessTokenClaims(EdgeFixture.Audience);
        claims[claim] = claim == "aud" ? "https://other.example" : TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds;
        client.DefaultRequestHeaders.Authorization = new("Bearer", edge.Provider.Sign(claims, "at+jwt"));

        using var refused = await client.GetAsync("/api/me");
        var (why, text) = await WhyAsync(edge, refused);

        Assert.Equal(("invalid-token", error, named), ((string?)why["rule"], (string?)why["tokenError"], (string?)why["claim"]));
        Assert.Equal(edge.Provider.Issuer, (string?)why["issuer"]);
        Assert.Equal(edge.Provider.Key.Id, (string?)why["keyId"]);
        Assert.Equal("none", (string?)why["caller"]);
        Assert.Equal(skew is not null, why.ContainsKey("skewSeconds"));
        Assert.True(skew is null || Math.Abs((double)why["skewSeconds"]! - skew.Value) < 60, text);
    }

    [Fact]
    public async Task Explain_PageOfASession_TellsItsAge()
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");

        using var page = await browser.GetAsync($"{ProductFixture.Origin}/dashboard");
        var (why, _) = await WhyAsync(edge, page);

        Assert.Equal(("session", "served", "pages"), ((string?)why["caller"], (string?)why["rule"], (string?)why["route"]));
        Assert.InRange((double)why["sessionAgeSeconds"]!, -1, 120);
    }

    [Fact]
    public async Task Explain_NotForEverybody_AndOnlyWhatThisReplicaAnswered()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var person = edge.Api("user1");
        using var administrator = edge.Api("admin");
        using var asked = await person.GetAsync("/api/me");
        var id = IdOf(asked);

        using var forbidden = await person.GetAsync($"/api/requests/{id}");
        using var elsewhere = await administrator.GetAsync("/api/requests/abcde9999-1");
        using var forgotten = await administrator.GetAsync($"/api/requests/{id.Split('-')[0]}-ffffffffff");
        using var rubbish = await administrator.GetAsync("/api/requests/0HN123:00000001");

        Assert.Equal((403, "administrators-only"), await ReasonAsync(forbidden));
        Assert.Equal((404, "request-elsewhere"), await ReasonAsync(elsewhere));
        Assert.Contains("abcde9999", await elsewhere.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((404, "request-not-found"), await ReasonAsync(forgotten));
        Assert.Equal((404, "request-not-found"), await ReasonAsync(rubbish));
    }

    [Fact]
    public async Task RequestId_FromOutside_IsNotTakenAndEachAnswerHasItsOwn()
    {
        await using var edge = await ProductFixture.StartAsync();
        await using var upstream = await OwnWorkspaceAsync(edge);
        upstream.Answer.Add(("X-Request-Id", "the-workspaces"));
        using var owner = edge.Api("user1");
        owner.DefaultRequestHeaders.Add("X-Request-Id", "mine");

        var ids = new List<string>();
        foreach (var path in (string[])["/api/me", "/tos", "/api/nothing", $"{edge.HostOf("user1")}/files"])
        {
            using var answer = await owner.GetAsync(path);
            ids.Add(IdOf(answer));
        }

        using var raw = await edge.NewBrowser().GetAsync($"{ProductFixture.Origin}/%2f", ("X-Request-Id", "mine"));
        ids.Add(IdOf(raw));
        Assert.All(ids, id => Assert.Matches(Form(), id));
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Fact]
    public async Task Page_Administrator_SeesTheRuleAndOthersNothing()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var refused = await edge.NewBrowser().GetAsync($"{ProductFixture.Origin}/api/me", ("Accept", "application/json"));
        var url = $"{ProductFixture.Origin}/requests?id={IdOf(refused)}";
        var administrator = await edge.SignedInAsync("admin");
        var person = await edge.SignedInAsync("user1");

        using var seen = await administrator.GetAsync(url);
        using var form = await administrator.GetAsync($"{ProductFixture.Origin}/requests");
        using var missing = await administrator.GetAsync($"{ProductFixture.Origin}/requests?id=%3Cb%3E");
        using var forbidden = await person.GetAsync(url);
        using var stranger = await edge.NewBrowser().GetAsync(url);

        Assert.Contains("sign-in-required", await seen.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal([200, 200, 404, 403, 302], new[] { seen, form, missing, forbidden, stranger }.Select(a => (int)a.StatusCode));
        Assert.DoesNotContain("<b>", await missing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_AsksTheEdge_OneLineAFact()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var person = edge.Api("user1");
        using var asked = await person.GetAsync("/api/workspaces/none");
        using var administrator = edge.Api("admin");
        var token = administrator.DefaultRequestHeaders.Authorization!.Parameter!;

        var (code, output, _) = await RunAsync(IdOf(asked), ProductFixture.Origin, "--token", token, "--connect", $"127.0.0.1:{edge.Port}");
        var (unknown, _, told) = await RunAsync("abcde9999-1", ProductFixture.Origin, "--token", token, "--connect",
            $"127.0.0.1:{edge.Port}");
        var (usage, _, _) = await RunAsync("no id", ProductFixture.Origin, "--token", token);
        var (nobody, _, _) = await RunAsync("abcde9999-1", $"http://localhost:{LoopbackPort.Free()}", "--token", token);

        Assert.Equal((0, 1, 2, 2), (code, unknown, usage, nobody));
        Assert.Matches(@"(?m)^rule +workspace-not-found\r?$", output);
        Assert.Contains("abcde9999", told, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        return (await WhyCommand.RunAsync(args, output, errors, default), output.ToString(), errors.ToString());
    }

    private static async Task<Upstream> OwnWorkspaceAsync(ProductFixture edge)
    {
        var upstream = await Upstream.StartAsync();
        using var api = edge.Api("user1");
        using var made = await api.PostAsync("/api/workspaces", null);
        edge.MakeReady(edge.NameOf("user1"), upstream.Port);
        var host = new Uri(edge.HostOf("user1")).Host;
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>().TryFindByHost(host, out var entry) && entry.IsReady);
        return upstream;
    }

    // A client has its answer before the edge has noted it.
    private static async Task<(JsonObject Why, string Text)> WhyAsync(ProductFixture edge, HttpResponseMessage answer)
    {
        var id = IdOf(answer);
        await ProductFixture.Until(() => edge.Get<RequestHistory>().Find(id) is not null);
        using var administrator = edge.Api("admin");
        var text = await administrator.GetStringAsync($"/api/requests/{id}");
        return (JsonNode.Parse(text)!.AsObject(), text);
    }

    private static string IdOf(HttpResponseMessage answer) => Assert.Single(answer.Headers.GetValues("X-Request-Id"));

    private static async Task<(int, string?)> ReasonAsync(HttpResponseMessage answer) =>
        ((int)answer.StatusCode, (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["reason"]);

    [GeneratedRegex("^[a-z0-9]+-[0-9a-f]+$")]
    private static partial Regex Form();
}
