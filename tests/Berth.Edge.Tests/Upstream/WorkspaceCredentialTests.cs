using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.ApiProxy;

/// <summary>Programs in workspaces, with the token that Kubernetes gives their pod.</summary>
public class WorkspaceCredentialTests
{
    private const string Pod = "ws-one";
    private const string Uid = "11111111-2222-3333-4444-555555555555";

    [Theory]
    [InlineData("localhost:8080")]
    [InlineData("berth-edge.berth.svc")]
    public async Task Call_WithTheTokenOfARunningWorkspace_IsTheOwners(string host)
    {
        await using var proxy = await StartAsync();

        using var answer = await CallAsync(proxy, Token(), host);

        Assert.Equal((HttpStatusCode.OK, "ok"), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal(proxy.Person("user1"), Assert.Single(proxy.Vault.Asked).Person);
        Assert.Equal("Bearer secret-user1-1", Assert.Single(proxy.Calls).Header("Authorization"));
    }

    [Fact]
    public async Task Call_SecondTime_AsksTheApiServerNoMore()
    {
        await using var proxy = await StartAsync();
        var token = Token();

        for (var i = 0; i < 5; i++)
        {
            using var answer = await CallAsync(proxy, token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Single(proxy.Edge.Kube.Writes, w => w == "create tokenreviews");
    }

    // A program begins with as many calls at once as it may have: one question is asked.
    [Fact]
    public async Task Call_ManyAtOnceWithANewToken_OneQuestionForAll()
    {
        await using var proxy = await StartAsync();
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        proxy.Edge.Kube.BeforeReview = _ =>
        {
            asked.TrySetResult();
            return answer.Task;
        };
        var token = Token();

        var first = CallAsync(proxy, token);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var others = Enumerable.Range(0, 17).Select(_ => CallAsync(proxy, token)).ToList();
        answer.SetResult();

        foreach (var call in others.Prepend(first))
        {
            using var answered = await call;
            Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        }

        Assert.Single(proxy.Edge.Kube.Writes, w => w == "create tokenreviews");
    }

    [Fact]
    public async Task Call_TheApiServerHangs_IsToldToComeBackAndMayAskAgain()
    {
        await using var proxy = await StartAsync();
        proxy.Edge.Kube.BeforeReview = cancellationToken => Task.Delay(Timeout.Infinite, cancellationToken);
        var token = Token();

        using var hung = await CallAsync(proxy, token);
        proxy.Edge.Kube.BeforeReview = _ => Task.CompletedTask;
        using var again = await CallAsync(proxy, token);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (hung.StatusCode, again.StatusCode));
    }

    public static TheoryData<string, Action<JsonObject>> Foreign => new()
    {
        { "audience", c => c["aud"] = new JsonArray("https://kubernetes.default.svc") },
        { "two audiences", c => c["aud"] = new JsonArray("berth-edge", "https://kubernetes.default.svc") },
        { "other namespace", c => c["kubernetes.io"]!["namespace"] = "elsewhere" },
        { "other pod of the name", c => c["kubernetes.io"]!["pod"]!["uid"] = "99999999-2222-3333-4444-555555555555" },
        { "other name of the pod", c => c["kubernetes.io"]!["pod"]!["name"] = "ws-two" },
        { "no pod", c => c["kubernetes.io"]!.AsObject().Remove("pod") },
        { "over", c => c["exp"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 120 },
        { "too long a life", c => c["exp"] = (long)c["iat"]! + 7200 },
        { "no issue time", c => c.Remove("iat") },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task Call_WithATokenForSomethingElse_IsRefusedBeforeAnybodyIsAsked(string what, Action<JsonObject> change)
    {
        await using var proxy = await StartAsync();

        using var answer = await CallAsync(proxy, Token(change));

        Assert.Equal((what, 401, "invalid-token"), (what, (int)answer.StatusCode, (await ProxyCallTests.CodeAsync(answer)).Code));
        Assert.DoesNotContain(proxy.Edge.Kube.Writes, w => w == "create tokenreviews");
        Assert.Empty(proxy.Calls);
    }

    public static TheoryData<string, Func<TokenReviewStatus, TokenReviewStatus>> Reviews => new()
    {
        { "not authenticated", s => s with { Authenticated = false } },
        { "audiences not looked at", s => s with { Audiences = null } },
        { "other pod", s => s with { User = s.User! with { Extra = Extra("ws-one", "another") } } },
        { "no pod", s => s with { User = s.User! with { Extra = null } } },
        { "a person", s => s with { User = s.User! with { Username = "kubernetes-admin" } } },
        { "other namespace", s => s with { User = s.User! with { Username = "system:serviceaccount:other:default" } } },
    };

    [Theory]
    [MemberData(nameof(Reviews))]
    public async Task Call_ApiServerSaysOtherwise_IsRefused(string what, Func<TokenReviewStatus, TokenReviewStatus> change)
    {
        await using var proxy = await StartAsync();
        var good = proxy.Edge.Kube.Review;
        proxy.Edge.Kube.Review = s => change(good(s));

        using var answer = await CallAsync(proxy, Token());

        Assert.Equal((what, "invalid-token"), (what, (await ProxyCallTests.CodeAsync(answer)).Code));
        Assert.Empty(proxy.Calls);
    }

    [Fact]
    public async Task Call_ApiServerAway_IsNotDecided()
    {
        await using var proxy = await StartAsync();
        proxy.Edge.Kube.Fail = (verb, plural) => plural == "tokenreviews" ? FakeKube.Error(503, "ServiceUnavailable", "away") : null;

        using var answer = await CallAsync(proxy, Token());

        Assert.Equal((503, "cannot-verify"), await ProxyCallTests.CodeAsync(answer));
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    public static TheoryData<string, Func<UserWorkspace, UserWorkspace>> Ended => new()
    {
        { "stopped", w => w with { Spec = w.Spec with { DesiredState = DesiredStates.Stopped } } },
        { "frozen", w => w with { Spec = w.Spec with { Administration = new WorkspaceAdministration { Frozen = true } } } },
        { "deleted", w => w with { Metadata = w.Metadata with { DeletionTimestamp = TimeProvider.System.GetUtcNow() } } },
        { "owner of a provider that is gone", w => w with { Spec = w.Spec with { Owner = w.Spec.Owner with { Issuer = "https://x" } } } },
    };

    [Theory]
    [MemberData(nameof(Ended))]
    public async Task Call_WorkspaceIsNoMore_IsRefusedThoughTheTokenWasGood(string what, Func<UserWorkspace, UserWorkspace> change)
    {
        await using var proxy = await StartAsync();
        var token = Token();
        using (var before = await CallAsync(proxy, token))
        {
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        }

        proxy.Edge.Kube.Put(change(proxy.Edge.Kube.Find<UserWorkspace>(Pod)!));
        await UntilAsync(proxy, token, "workspace-not-running");

        Assert.NotEmpty(what);
        Assert.Single(proxy.Calls);
    }

    [Fact]
    public async Task Call_PodWasReplaced_IsRefusedThoughTheTokenWasGood()
    {
        await using var proxy = await StartAsync();
        var token = Token();
        using (var before = await CallAsync(proxy, token))
        {
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        }

        proxy.Edge.Kube.Put(Endpoints("a-new-pod"));

        await UntilAsync(proxy, token, "invalid-token");
    }

    [Fact]
    public async Task Call_OwnerDisabled_IsRefused()
    {
        await using var proxy = await StartAsync();
        var accounts = proxy.Edge.Get<IAccountStore>();
        var now = TimeProvider.System.GetUtcNow();
        await accounts.RecordSignInAsync(
            new SignIn { Person = proxy.Person("user1"), SessionId = "s", At = now, ExpiresAt = now.AddHours(1) }, CancellationToken.None);
        await accounts.SetDisabledAsync(proxy.Person("user1"), true, CancellationToken.None);

        using var answer = await CallAsync(proxy, Token());

        Assert.Equal((403, "account-disabled"), await ProxyCallTests.CodeAsync(answer));
    }

    [Fact]
    public async Task Review_ProgramMakesTokensUp_ItsNeighboursAreReviewedAllTheSame()
    {
        await using var proxy = await StartAsync();
        var reviews = proxy.Edge.Get<WorkspaceTokenReview>();
        var says = WorkspaceToken.Read(Token(), TimeProvider.System.GetUtcNow())!;
        var outcomes = new List<ReviewOutcome>();
        for (var i = 0; i < 40; i++)
        {
            outcomes.Add(await reviews.ReviewAsync($"made-up-{i}", says, default));
        }

        var neighbour = await reviews.ReviewAsync("another", says with { PodUid = "99999999-2222-3333-4444-555555555555" }, default);

        Assert.Contains(ReviewOutcome.Unknown, outcomes);
        Assert.NotEqual(ReviewOutcome.Unknown, neighbour);
    }

    [Theory]
    [InlineData("other")]
    [InlineData(null)]
    public async Task Call_TemplateDoesNotOpenTheConnection_IsRefused(string? opened)
    {
        await using var proxy = await StartAsync(opened is null ? null : [opened]);

        using var answer = await CallAsync(proxy, Token());

        Assert.Equal((403, "workspace-not-allowed"), await ProxyCallTests.CodeAsync(answer));
        Assert.Empty(proxy.Calls);
    }

    [Theory]
    [InlineData("/api/me")]
    [InlineData("/api/workspaces")]
    [InlineData("/openapi/v1.json")]
    public async Task Token_UsedElsewhere_IsNoIdentity(string path)
    {
        await using var proxy = await StartAsync();
        using var client = proxy.Anonymous();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token());

        using var answer = await client.GetAsync(path);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task ClusterName_PeoplesTokensAndCookies_DoNotCountThere()
    {
        await using var proxy = await StartAsync();
        using var person = proxy.As("user1");

        using var bearer = await CallAsync(proxy, person.DefaultRequestHeaders.Authorization!.Parameter!, "berth-edge.berth.svc");
        using var other = await CallAsync(proxy, Token(), "berth-edge.berth.svc", "/api/me");

        Assert.Equal((401, "invalid-token"), await ProxyCallTests.CodeAsync(bearer));
        Assert.Equal(HttpStatusCode.MisdirectedRequest, other.StatusCode);
    }

    [Fact]
    public async Task IdentityHeader_UsedAsAToken_IsNoIdentity()
    {
        await using var proxy = await StartAsync();
        var entry = proxy.Edge.Get<WorkspaceTable>().TryFindByHost("ws-one.localhost", out var found) ? found : null;
        var identity = proxy.Edge.Get<WorkspaceIdentitySigner>().Sign(new WorkspaceAccess(
            entry!,
            new Caller { Kind = CallerKind.Session, Issuer = "i", Subject = "user1", ExpiresAt = DateTimeOffset.MaxValue },
            "owner"));

        using var answer = await CallAsync(proxy, identity);

        Assert.Equal((401, "invalid-token"), await ProxyCallTests.CodeAsync(answer));
    }

    private static Task<ProxyFixture> StartAsync() => StartAsync(["api"]);

    private static async Task<ProxyFixture> StartAsync(IReadOnlyList<string>? connections)
    {
        var kube = new FakeKube();
        var proxy = await ProxyFixture.StartAsync(kube: kube);
        var template = ProductFixture.Template("apis");
        kube.Put(template with { Spec = template.Spec with { Connections = connections } });

        kube.Put(new UserWorkspace
        {
            Metadata = new ObjectMeta { Name = Pod, Namespace = ProductFixture.Namespace, Uid = "w" },
            Spec = new UserWorkspaceSpec
            {
                Owner = new WorkspaceOwner { Issuer = proxy.Edge.Provider.Issuer, Subject = "user1" },
                Template = new TemplateReference { Name = "apis" },
                DesiredState = DesiredStates.Running,
            },
        });
        kube.Put(Endpoints(Uid));
        kube.Review = Good;
        var watch = proxy.Edge.Get<WorkspaceWatch>();
        await ProductFixture.Until(() => watch.FindByPod(Uid, Pod) is not null && watch.Template("apis") is not null);
        return proxy;
    }

    private static Endpoints Endpoints(string uid) => new()
    {
        Metadata = new ObjectMeta { Name = Pod, Namespace = ProductFixture.Namespace },
        Subsets =
        [
            new EndpointSubset
            {
                NotReadyAddresses =
                [
                    new EndpointAddress { IP = "127.0.0.1", TargetRef = new ObjectReference { Kind = "Pod", Name = Pod, Uid = uid } },
                ],
                Ports = [new EndpointPort { Name = "http", Port = 1 }],
            },
        ],
    };

    private static TokenReviewStatus Good(TokenReviewSpec spec)
    {
        Assert.Equal(["berth-edge"], spec.Audiences);
        return new TokenReviewStatus
        {
            Authenticated = true,
            Audiences = ["berth-edge"],
            User = new TokenReviewUser
            {
                Username = $"system:serviceaccount:{ProductFixture.Namespace}:default",
                Extra = Extra(Pod, Uid),
            },
        };
    }

    private static Dictionary<string, IReadOnlyList<string>> Extra(string name, string uid) => new()
    {
        ["authentication.kubernetes.io/pod-name"] = [name],
        ["authentication.kubernetes.io/pod-uid"] = [uid],
    };

    private static string Token(Action<JsonObject>? change = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["aud"] = new JsonArray("berth-edge"),
            ["exp"] = now + 1800,
            ["iat"] = now,
            ["nbf"] = now,
            ["iss"] = "https://kubernetes.default.svc",
            ["sub"] = "system:serviceaccount:people:default",
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = ProductFixture.Namespace,
                ["pod"] = new JsonObject { ["name"] = Pod, ["uid"] = Uid },
                ["serviceaccount"] = new JsonObject { ["name"] = "default" },
            },
        };
        change?.Invoke(claims);
        return $"{Part("""{"alg":"RS256","kid":"k"}""")}.{Part(claims.ToJsonString())}.{Part("signature")}";
    }

    private static string Part(string text) => StrictBase64Url.Encode(Encoding.UTF8.GetBytes(text));

    private static async Task<HttpResponseMessage> CallAsync(
        ProxyFixture proxy, string token, string host = "localhost:8080", string path = "/proxy/api/items/1")
    {
        using var client = proxy.Anonymous();
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = host;
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await client.SendAsync(request);
    }

    private static async Task UntilAsync(ProxyFixture proxy, string token, string code)
    {
        await Cluster.ClusterFixture.Until(async () =>
        {
            using var answer = await CallAsync(proxy, token, path: "/proxy/api/not-allowed");
            return (await ProxyCallTests.CodeAsync(answer)).Code == code;
        });
    }
}
