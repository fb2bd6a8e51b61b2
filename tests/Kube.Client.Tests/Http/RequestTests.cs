using System.Text;
using Kube.Client.Models;
using Kube.Client.Tests.Support;
using Testing;

namespace Kube.Client.Tests.Http;

public sealed class RequestTests
{
    private static readonly ConfigMap Map = new()
    {
        Metadata = new() { Name = "x", Namespace = "a" },
    };

    [Fact]
    public async Task GetAsync_Refused_ThrowsTheStatusWithCauses()
    {
        await using var server = ScriptedServer.Answers(
            Answer.Status(
                422,
                "Invalid",
                "bad",
                """{"name":"x","kind":"ConfigMap","causes":[{"reason":"FieldValueRequired","message":"Required value","field":"data"}]}"""
            )
        );
        using var client = KubeClient.Create(server.Config);
        var error = await Assert.ThrowsAsync<KubeException>(() => client.GetAsync<ConfigMap>("a", "x", default));
        Assert.Equal(422, error.Code);
        Assert.Equal("Failure", error.Status.Result);
        Assert.Equal("data", Assert.Single(error.Status.Details!.Causes!).Field);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task GetAsync_RefusedWithoutStatus_QuotesTheBodyShortly()
    {
        await using var server = ScriptedServer.Answers(Answer.Text("<html>\n" + new string('x', 5000), 403));
        using var client = KubeClient.Create(server.Config);
        var error = await Assert.ThrowsAsync<KubeException>(() => client.GetAsync<ConfigMap>("a", "x", default));
        Assert.Equal((403, "Forbidden"), (error.Code, error.Status.Reason));
        Assert.Contains("<html>", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 500);
    }

    [Fact]
    public async Task TryGetAsync_ObjectMissing_IsNull()
    {
        await using var server = ScriptedServer.Answers(Answer.Status(404, "NotFound", "no", """{"name":"x","kind":"configmaps"}"""));
        using var client = KubeClient.Create(server.Config);
        Assert.Null(await client.TryGetAsync<ConfigMap>("a", "x", default));
    }

    [Fact]
    public async Task TryGetAsync_KindNotServed_Throws()
    {
        await using var server = ScriptedServer.Answers(Answer.Text("404 page not found\n", 404));
        using var client = KubeClient.Create(server.Config);
        Assert.True((await Assert.ThrowsAsync<KubeException>(() => client.TryGetAsync<ConfigMap>("a", "x", default))).IsNotFound);
    }

    [Fact]
    public async Task GetAsync_TooManyRequests_WaitsAsLongAsTheServerAsks()
    {
        await using var server = ScriptedServer.Answers(
            Answer.Status(429, "TooManyRequests", "slow", headers: "Retry-After: 7\r\n"),
            Answer.Json(Answer.ConfigMap("x"))
        );
        var clock = new FakeTimeProvider();
        var log = new LogCounter();
        using var client = KubeClient.Create(server.Config, new() { TimeProvider = clock, LoggerFactory = log });
        var get = client.GetAsync<ConfigMap>("a", "x", Wait.Limit());
        // The line is written before the wait begins, when the time-out of the request is no longer armed.
        await Wait.UntilAsync(() => log.Count == 1 && clock.ArmedTimers == 1);
        clock.Advance(TimeSpan.FromSeconds(6.9));
        Assert.Single(server.Requests);
        clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal("x", (await get).Metadata.Name);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task GetAsync_RetryAfterBeyondTheBound_IsTheCallersDecision()
    {
        await using var server = ScriptedServer.Answers(Answer.Status(503, "ServiceUnavailable", "later", headers: "Retry-After: 120\r\n"));
        using var client = KubeClient.Create(server.Config);
        var error = await Assert.ThrowsAsync<KubeException>(() => client.GetAsync<ConfigMap>("a", "x", Wait.Limit()));
        Assert.Equal(TimeSpan.FromSeconds(120), error.RetryAfter);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task GetAsync_ServerErrorsForEver_GivesUpAfterTheBound()
    {
        await using var server = ScriptedServer.Answers(Answer.Text("oops", 502));
        var clock = new FakeTimeProvider();
        using var client = KubeClient.Create(server.Config, new() { TimeProvider = clock, RequestTimeout = TimeSpan.FromDays(1) });
        var error = await Assert.ThrowsAsync<KubeException>(() =>
            client.GetAsync<ConfigMap>("a", "x", Wait.Limit()).DriveAsync(clock, TimeSpan.FromSeconds(1))
        );
        Assert.Equal(502, error.Code);
        Assert.Equal(5, server.Requests.Count);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("replace")]
    [InlineData("merge")]
    [InlineData("apply with a version")]
    [InlineData("delete")]
    public async Task Write_ServerError_IsNotRepeated(string verb)
    {
        await using var server = ScriptedServer.Answers(Answer.Status(503, "ServiceUnavailable", "x", headers: "Retry-After: 0\r\n"));
        using var client = KubeClient.Create(server.Config);
        await Assert.ThrowsAsync<KubeException>(() =>
            verb switch
            {
                "create" => client.CreateAsync(Map, null, Wait.Limit()),
                "replace" => client.ReplaceAsync(Map, null, Wait.Limit()),
                "apply with a version" => client.ApplyAsync(
                    Map with { Metadata = Map.Metadata with { ResourceVersion = "1" } }, new() { FieldManager = "me" }, Wait.Limit()),
                "merge" => client.PatchAsync<ConfigMap>("a", "x", KubePatch.Merge("{}"u8.ToArray()), null, Wait.Limit()),
                _ => client.DeleteAsync<ConfigMap>("a", "x", null, Wait.Limit()),
            }
        );
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task ApplyAsync_ServerError_IsRepeatedWithTheSameBody()
    {
        await using var server = ScriptedServer.Answers(
            Answer.Status(503, "ServiceUnavailable", "x", headers: "Retry-After: 0\r\n"),
            Answer.Json(Answer.ConfigMap("x"))
        );
        using var client = KubeClient.Create(server.Config);
        await client.ApplyAsync(Map, new() { FieldManager = "me", Force = true }, Wait.Limit());
        var requests = server.Requests.ToArray();
        Assert.Equal(2, requests.Length);
        Assert.Equal(requests[0].Body, requests[1].Body);
        Assert.Equal("PATCH", requests[1].Method);
        Assert.Equal("application/apply-patch+yaml", requests[1].Header("Content-Type"));
        Assert.Equal("/api/v1/namespaces/a/configmaps/x?fieldManager=me&force=true", requests[1].Path);
    }

    [Fact]
    public async Task GetAsync_ConnectionCutBeforeTheAnswer_IsRepeated()
    {
        var first = true;
        await using var server = new ScriptedServer(
            (_, c) =>
            {
                if (first)
                {
                    first = false;
                    c.Reset();
                    return Task.CompletedTask;
                }

                return c.WriteAsync(Answer.Json(Answer.ConfigMap("x")));
            }
        );
        using var client = KubeClient.Create(server.Config, new() { RetryDelay = TimeSpan.FromMilliseconds(1) });
        Assert.Equal("x", (await client.GetAsync<ConfigMap>("a", "x", Wait.Limit())).Metadata.Name);
    }

    [Fact]
    public async Task GetAsync_NobodyListens_NamesTheServer()
    {
        var server = ScriptedServer.Answers("");
        var config = server.Config;
        await server.DisposeAsync();
        using var client = KubeClient.Create(config, new() { RetryDelay = TimeSpan.FromMilliseconds(1) });
        var error = await Assert.ThrowsAsync<KubeException>(() => client.GetAsync<ConfigMap>("a", "x", Wait.Limit()));
        Assert.Contains($"{config.Server} cannot be reached", error.Message, StringComparison.Ordinal);
        Assert.Equal((0, true), (error.Code, error.IsTransient));
    }

    [Fact]
    public async Task GetAsync_NoAnswerInTime_Throws()
    {
        await using var server = new ScriptedServer((_, c) => c.SilenceAsync());
        var clock = new FakeTimeProvider();
        using var client = KubeClient.Create(server.Config, new() { TimeProvider = clock });
        var error = await Assert.ThrowsAsync<KubeException>(() =>
            client.GetAsync<ConfigMap>("a", "x", Wait.Limit()).DriveAsync(clock, TimeSpan.FromSeconds(20))
        );
        Assert.Contains("60 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetAsync_AnswerIsNoObject_SaysWhatWasExpected()
    {
        await using var server = ScriptedServer.Answers(Answer.Json("<html>"));
        using var client = KubeClient.Create(server.Config);
        var error = await Assert.ThrowsAsync<KubeException>(() => client.GetAsync<ConfigMap>("a", "x", default));
        Assert.Contains("is not the ConfigMap", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetAsync_ServerWithPath_KeepsThePrefix()
    {
        await using var server = ScriptedServer.Answers(Answer.Json(Answer.ConfigMap("x")));
        using var client = KubeClient.Create(server.Config with { Server = new Uri(server.Config.Server, "/k8s/clusters/c-1/") });
        await client.GetAsync<ConfigMap>("a", "x", default);
        Assert.Equal("/k8s/clusters/c-1/api/v1/namespaces/a/configmaps/x", server.Requests.Single().Path);
    }

    [Fact]
    public async Task SendAsync_RedirectElsewhere_IsNotFollowed()
    {
        await using var server = ScriptedServer.Answers("HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        using var client = KubeClient.Create(server.Config);
        Assert.Equal(
            307,
            (await Assert.ThrowsAsync<KubeException>(() => client.Raw.SendAsync(HttpMethod.Get, "/x", default, null, default))).Code
        );
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task DeleteAsync_Options_AreInTheBody()
    {
        await using var server = ScriptedServer.Answers(Answer.Json("{}"));
        using var client = KubeClient.Create(server.Config);
        await client.DeleteAsync<ConfigMap>(
            "a",
            "x",
            new()
            {
                PropagationPolicy = "Foreground",
                Uid = "u",
                GracePeriodSeconds = 0,
            },
            default
        );
        Assert.Equal(
            """{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground","gracePeriodSeconds":0,"preconditions":{"uid":"u"}}""",
            Encoding.UTF8.GetString(server.Requests.Single().Body)
        );
    }

    [Fact]
    public async Task CreateAsync_Object_OmitsWhatIsNotSet()
    {
        await using var server = ScriptedServer.Answers(Answer.Json(Answer.ConfigMap("x"), 201));
        using var client = KubeClient.Create(server.Config);
        await client.CreateAsync(Map, new() { DryRun = true, FieldManager = "m" }, default);
        var request = server.Requests.Single();
        Assert.Equal("/api/v1/namespaces/a/configmaps?fieldManager=m&dryRun=All", request.Path);
        Assert.Equal(
            """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"a"}}""",
            Encoding.UTF8.GetString(request.Body)
        );
    }

    [Fact]
    public async Task Impersonation_IsSent()
    {
        await using var server = ScriptedServer.Answers(Answer.Json(Answer.ConfigMap("x")));
        var config = server.Config with
        {
            Credentials = new()
            {
                Token = "t",
                ImpersonateUser = "jane",
                ImpersonateGroups = ["dev"],
            },
        };
        using var client = KubeClient.Create(config);
        await client.GetAsync<ConfigMap>("a", "x", default);
        var request = server.Requests.Single();
        Assert.Equal(
            ("Bearer t", "jane", "dev"),
            (request.Header("Authorization"), request.Header("Impersonate-User"), request.Header("Impersonate-Group"))
        );
    }

    [Theory]
    [InlineData("pods", "Pod", true)]
    [InlineData("pods", "Other", false)]
    [InlineData("things", "Thing", false)]
    public async Task IsServedAsync_ReadsDiscovery(string plural, string kind, bool served)
    {
        await using var server = ScriptedServer.Answers(
            Answer.Json("""{"kind":"APIResourceList","resources":[{"name":"pods","kind":"Pod"}]}""")
        );
        using var client = KubeClient.Create(server.Config);
        Assert.Equal(served, await client.IsServedAsync(new("", "v1", kind, plural), default));
    }

    [Fact]
    public async Task IsServedAsync_GroupMissing_IsFalse()
    {
        await using var server = ScriptedServer.Answers(Answer.Text("404 page not found", 404));
        using var client = KubeClient.Create(server.Config);
        Assert.False(await client.IsServedAsync(new("traefik.io", "v1alpha1", "IngressRoute", "ingressroutes"), default));
    }

    [Fact]
    public async Task OpenLogAsync_Followed_GivesLinesAsTheyCome()
    {
        var more = new TaskCompletionSource();
        await using var server = new ScriptedServer(
            async (_, c) =>
            {
                await c.WriteAsync(Answer.WatchHead);
                await c.WriteChunkAsync("one\n");
                await more.Task;
                await c.WriteChunkAsync("two\n");
                await c.WriteAsync("0\r\n\r\n");
            }
        );
        using var client = KubeClient.Create(server.Config);
        using var reader = new StreamReader(await client.OpenLogAsync("a", "p", new() { Follow = true, TailLines = 5 }, Wait.Limit()));
        Assert.Equal("one", await reader.ReadLineAsync(Wait.Limit()));
        more.SetResult();
        Assert.Equal("two", await reader.ReadLineAsync(Wait.Limit()));
        Assert.Null(await reader.ReadLineAsync(Wait.Limit()));
        Assert.Equal("/api/v1/namespaces/a/pods/p/log?follow=true&tailLines=5", server.Requests.Single().Path);
    }

    [Fact]
    public async Task ListPageAsync_EveryChunkBoundary_GivesAllItemsWithTheirKind()
    {
        var body =
            """{"kind":"ConfigMapList","extra":{"items":[1]},"items":[{"metadata":{"name":"ä"},"data":{"k":"{[\"\\"}},{"metadata":{"name":"b"}}],"metadata":{"resourceVersion":"9","continue":"next"}}""";
        var bytes = Encoding.UTF8.GetBytes(body);
        for (var cut = 1; cut < bytes.Length; cut++)
        {
            var list = await Client.Json.ListReader.ReadAsync(new CutStream(bytes, cut), ConfigMap.JsonTypeInfo, omitManagedFields: false, default);
            Assert.Equal(["ä", "b"], list.Items.Select(i => i.Metadata.Name));
            Assert.All(list.Items, i => Assert.Equal(("v1", "ConfigMap"), (i.ApiVersion, i.Kind)));
            Assert.Equal(("9", "next"), (list.Metadata.ResourceVersion, list.Metadata.Continue));
        }
    }

    [Theory]
    [InlineData(null, "limit=500")]
    [InlineData("0", "limit=500&resourceVersion=0")]
    [InlineData("7", "limit=500&resourceVersion=7&resourceVersionMatch=NotOlderThan")]
    public async Task ListPageAsync_Version_IsTheOldestThatWillDo(string? version, string query)
    {
        await using var server = ScriptedServer.Answers(Answer.Json("""{"items":[],"metadata":{"resourceVersion":"9"}}"""));
        using var client = KubeClient.Create(server.Config);
        await client.ListPageAsync<ConfigMap>("a", new() { Limit = 500, ResourceVersion = version }, Wait.Limit());
        Assert.Equal(query, server.Requests.Single().Path.Split('?')[1]);
    }

    [Fact]
    public async Task ListAllAsync_Pages_AreFollowedWithTheTokenAlone()
    {
        await using var server = ScriptedServer.Answers(
            Answer.Json("""{"items":[{"metadata":{"name":"a"}}],"metadata":{"continue":"t1"}}"""),
            Answer.Json("""{"items":[],"metadata":{"continue":"t2"}}"""),
            Answer.Json("""{"items":[{"metadata":{"name":"b"}}],"metadata":{"continue":""}}""")
        );
        using var client = KubeClient.Create(server.Config);
        List<string?> names = [];
        await foreach (var map in client.ListAllAsync<ConfigMap>("a", new() { ResourceVersion = "0" }, Wait.Limit()))
        {
            names.Add(map.Metadata.Name);
        }

        Assert.Equal(["a", "b"], names);
        Assert.Equal(
            ["limit=500&resourceVersion=0", "limit=500&continue=t1", "limit=500&continue=t2"],
            server.Requests.Select(r => r.Path.Split('?')[1])
        );
    }

    [Theory]
    [InlineData("""{"items":[{"metadata":{"name":"a"}}]""")]
    [InlineData("""{"items":[{"metadata":""")]
    [InlineData("""{"metadata":{}}""")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task ListPageAsync_NotAList_Throws(string body)
    {
        await using var server = ScriptedServer.Answers(Answer.Json(body));
        using var client = KubeClient.Create(server.Config);
        await Assert.ThrowsAsync<KubeException>(() => client.ListPageAsync<ConfigMap>("a", new(), default));
    }

    [Fact]
    public async Task ListPageAsync_NullItems_IsEmpty()
    {
        await using var server = ScriptedServer.Answers(Answer.Json("""{"items":null,"metadata":{}}"""));
        using var client = KubeClient.Create(server.Config);
        Assert.Empty((await client.ListPageAsync<ConfigMap>("a", new() { Limit = 3, Continue = "a b" }, default)).Items);
        Assert.Equal("/api/v1/namespaces/a/configmaps?limit=3&continue=a%20b", server.Requests.Single().Path);
    }

    private sealed class CutStream(byte[] bytes, int cut) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var end = _position < cut ? cut : bytes.Length;
            var length = Math.Min(count, end - _position);
            bytes.AsSpan(_position, length).CopyTo(buffer.AsSpan(offset));
            _position += length;
            return length;
        }

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
