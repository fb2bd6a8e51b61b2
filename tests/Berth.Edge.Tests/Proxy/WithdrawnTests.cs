using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client.Models;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Berth.Edge.Tests.Proxy;

/// <summary>What was allowed and is no longer: everything that is under way ends with it, whatever it is.</summary>
public class WithdrawnTests
{
    // No Accept that would say so, as a download or a script's stream has none.
    [Theory]
    [InlineData("logout")]
    [InlineData("unshared")]
    [InlineData("person")]
    [InlineData("stopped")]
    public async Task Download_UnderWay_IsCut(string why)
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        using var download = await OpenAsync(edge, browser, "/events");
        await using var body = await download.Content.ReadAsStreamAsync();
        Assert.True(await body.ReadAsync(new byte[64]) > 0);
        var connections = edge.Get<IOpenConnections>();
        Assert.Equal(0, connections.Count);

        switch (why)
        {
            case "logout":
                using (await browser.SendAsync($"{EdgeFixture.Origin}/logout", HttpMethod.Post, headers: [("Origin", EdgeFixture.Origin)]))
                {
                }

                break;
            case "unshared":
                Assert.Equal(1, connections.Review(edge.Directory[EdgeFixture.WorkspaceHost] with { OwnerSubject = "user2" }));
                break;
            case "person":
                Assert.Equal(1, connections.CutPerson(edge.Provider.Issuer, "user1"));
                break;
            default:
                Assert.Equal(1, connections.CutWorkspace("berth", "ws-one"));
                break;
        }

        await EndsAsync(body);
    }

    [Fact]
    public async Task Socket_SessionRevokedBetweenDecisionAndEntry_IsCut()
    {
        var state = new LateRevocation();
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<ISessionState>(state));
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        state.LiveAnswersLeft = 1;

        using var socket = await browser.ConnectAsync("ws://ws-one.localhost:8080/echo", EdgeFixture.WorkspaceOrigin);

        if (socket.State == WebSocketState.Open)
        {
            await WorkspaceTokenTests.EndsAsync(socket);
        }

        await ProductFixture.Until(() => edge.Get<IOpenConnections>().Count == 0);
    }

    [Fact]
    public async Task Download_ShareEndedBetweenDecisionAndEntry_IsNotForwarded()
    {
        var changing = new ChangingDirectory();
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<IWorkspaceDirectory>(changing));
        changing.Inner = edge.Directory;
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        changing.Later = e => e with { OwnerSubject = "user2" };

        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    // The process is gone, and where its host leads now is somebody else's (V12).
    [Theory]
    [InlineData("owner")]
    [InlineData("name")]
    public async Task Retry_WhatIsThereNowIsAnotherWorkspace_IsNotMade(string what)
    {
        var changing = new ChangingDirectory();
        await using var edge = await EdgeFixture.StartAsync(services: s => s.AddSingleton<IWorkspaceDirectory>(changing));
        changing.Inner = edge.Directory;
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        edge.Upstream.Requests.Clear();
        var good = edge.Directory[EdgeFixture.WorkspaceHost];
        edge.Directory.Put(good with { Target = new WorkspaceTarget("127.0.0.1", LoopbackPort.Free()) });

        // Decision and entry see the old one, the retry the new one.
        changing.SameAnswers = 2;
        changing.Later = _ => what == "owner" ? good with { OwnerSubject = "user2" } : good with { Name = "ws-other" };
        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Empty(edge.Upstream.Requests);
    }

    [Theory]
    [InlineData("/api/workspaces/events")]
    [InlineData("/dashboard/events")]
    public async Task LivePage_SessionRevokedElsewhere_Ends(string path)
    {
        await using var edge = await ProductFixture.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var http = new HttpClient(edge.NewHandler());
        http.DefaultRequestHeaders.Add("Cookie", browser.CookieHeader("localhost"));
        using var stream = await http.GetAsync(ProductFixture.Origin + path, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        await using var body = await stream.Content.ReadAsStreamAsync();
        Assert.True(await body.ReadAsync(new byte[4096]) > 0);
        Assert.Equal(1, edge.Get<IOpenConnections>().Count);

        var session = Assert.Single(await edge.Get<IAccountStore>().ListSessionsAsync(new(edge.Provider.Issuer, "user1"), default));
        await edge.Get<IAccountStore>().RevokeSessionAsync(session.Id, TimeProvider.System.GetUtcNow().AddDays(1), default);

        await EndsAsync(body);
        Assert.Equal(0, edge.Get<IOpenConnections>().Count);
    }

    [Theory]
    [InlineData("events")]
    [InlineData("logs")]
    public async Task LivePageAndLog_OfATokenWhosePersonIsDisabled_End(string what)
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await using var body = await FollowAsync(edge, api, what);

        await edge.Get<IAccountStore>().SetDisabledAsync(new(edge.Provider.Issuer, "user1"), true, default);

        await EndsAsync(body);
    }

    [Fact]
    public async Task Log_WorkspaceIsDeleted_Ends()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        await using var body = await FollowAsync(edge, api, "logs");

        Assert.Equal(1, edge.Get<IOpenConnections>().CutWorkspace(ProductFixture.Namespace, edge.NameOf("user1")));

        await EndsAsync(body);
    }

    private static async Task<Stream> FollowAsync(ProductFixture edge, HttpClient api, string what)
    {
        var name = edge.NameOf("user1");
        await edge.SignedInAsync("user1");
        using (await api.PostAsync("/api/workspaces", null))
        {
        }

        edge.Kube.Put(new Pod
        {
            Metadata = new ObjectMeta
            {
                Name = $"{name}-1",
                Namespace = ProductFixture.Namespace,
                Labels = new Dictionary<string, string> { [Labels.Workspace] = name },
            },
        });
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>().TryFindByHost(new Uri(edge.HostOf("user1")).Host, out _));
        var pipe = new Pipe();
        await pipe.Writer.WriteAsync("first\n"u8.ToArray());
        edge.Kube.Logs[$"{name}-1"] = _ => pipe.Reader.AsStream();
        var answer = await api.GetAsync(
            what == "logs" ? $"/api/workspaces/{name}/logs?follow=true" : "/api/workspaces/events",
            HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = await answer.Content.ReadAsStreamAsync();
        Assert.True(await body.ReadAsync(new byte[4096]) > 0);
        return body;
    }

    private static async Task<HttpResponseMessage> OpenAsync(EdgeFixture edge, Browser browser, string path)
    {
        var http = new HttpClient(edge.NewHandler());
        http.DefaultRequestHeaders.Add("Cookie", browser.CookieHeader(EdgeFixture.WorkspaceHost));
        return await http.GetAsync(EdgeFixture.WorkspaceOrigin + path, HttpCompletionOption.ResponseHeadersRead);
    }

    // An orderly end or a broken connection; what goes on for ever is a failure.
    private static async Task EndsAsync(Stream body)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            while (await body.ReadAsync(new byte[4096], limit.Token) > 0)
            {
                // What was on its way.
            }
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            // Cut.
        }
    }

    /// <summary>Says so often that a session is live, then that it is revoked.</summary>
    private sealed class LateRevocation : ISessionState
    {
        private readonly InMemorySessionState _inner = new(TimeProvider.System);

        public int LiveAnswersLeft { get; set; } = int.MaxValue;

        public SessionState StandingOf(in SessionKey session) => LiveAnswersLeft-- > 0 ? SessionState.Active : SessionState.Revoked;

        public bool IsDisabled(string issuer, string subject) => false;

        public void Touch(in SessionKey session, DateTimeOffset at, DateTimeOffset idleEnd) => _inner.Touch(session, at, idleEnd);

        public void Enter(in SessionKey session, string workspace, DateTimeOffset at) => _inner.Enter(session, workspace, at);

        public ValueTask RevokeAsync(SessionKey session, DateTimeOffset forgetAfter, CancellationToken cancellationToken) =>
            _inner.RevokeAsync(session, forgetAfter, cancellationToken);
    }

    /// <summary>Tells the table's entry so often, and another one from then on.</summary>
    private sealed class ChangingDirectory : IWorkspaceDirectory
    {
        public TableDirectory Inner { get; set; } = new();

        public int SameAnswers { get; set; } = 1;

        public Func<WorkspaceEntry, WorkspaceEntry>? Later { get; set; }

        public IWorkspaceChanges Subscribe(string name) => Inner.Subscribe(name);

        public bool TryFindByHost(string host, [NotNullWhen(true)] out WorkspaceEntry? entry)
        {
            if (!Inner.TryFindByHost(host, out entry))
            {
                return false;
            }

            if (Later is { } change && SameAnswers-- <= 0)
            {
                entry = change(entry);
            }

            return true;
        }
    }
}
