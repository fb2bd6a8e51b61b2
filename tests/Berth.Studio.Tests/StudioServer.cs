using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Studio.Hosting;
using Berth.Studio.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Studio.Tests;

/// <summary>The program on a free port over a folder of its own, with real Kestrel and signed identities.</summary>
internal sealed class StudioServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TestIssuer _issuer;
    private readonly string _outer;

    private StudioServer(WebApplication app, TestIssuer issuer, string outer, Uri address)
    {
        _app = app;
        _issuer = issuer;
        _outer = outer;
        Address = address;
        Http = new HttpClient { BaseAddress = address };
    }

    public Uri Address { get; }

    /// <summary>Sends nothing of itself.</summary>
    public HttpClient Http { get; }

    public string Root => Path.Combine(_outer, "ws");

    /// <summary>A folder beside the workspace, which nothing may reach.</summary>
    public string Outside => Path.Combine(_outer, "outside");

    public IServiceProvider Services => _app.Services;

    public static async Task<StudioServer> StartAsync(Func<StudioOptions, StudioOptions>? change = null, TimeProvider? time = null)
    {
        var outer = Directory.CreateTempSubdirectory("studio-test-").FullName;
        Directory.CreateDirectory(Path.Combine(outer, "ws"));
        Directory.CreateDirectory(Path.Combine(outer, "outside"));
        await File.WriteAllTextAsync(Path.Combine(outer, "outside", "secret.txt"), "secret");
        var issuer = new TestIssuer();
        var options = new StudioOptions
        {
            Address = IPAddress.Loopback,
            Port = 0,
            Name = "ws-test",
            Root = Path.Combine(outer, "ws"),
            Identity = new IdentityOptions(TestIssuer.Issuer, TestIssuer.Audience)
            {
                Keys = JsonWebKeys.Parse(Encoding.UTF8.GetBytes(issuer.KeySet)),
            },
        };
        options = change?.Invoke(options) ?? options;
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["SHELL"] = "/bin/sh",
            ["PORT"] = "1",
            ["PS1"] = "",
            ["WORKSPACE_NAME"] = "ws-test",
            ["WORKSPACE_IDENTITY_ISSUER"] = "x",
        };
        if (options.Name is null)
        {
            environment.Remove("WORKSPACE_NAME");
        }

        var app = StudioHost.Build(options, environment, time ?? TimeProvider.System);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new StudioServer(app, issuer, outer, new Uri(address));
    }

    public string Token(string subject = "alice", string role = "owner") =>
        _issuer.Sign(TestIssuer.Claims(DateTimeOffset.UtcNow, subject, role));

    /// <summary>A token with further claims.</summary>
    public string Token(params (string Name, string Value)[] further)
    {
        var claims = TestIssuer.Claims(DateTimeOffset.UtcNow);
        foreach (var (name, value) in further)
        {
            claims[name] = value;
        }

        return _issuer.Sign(claims);
    }

    /// <summary>A request as the page makes it.</summary>
    public HttpRequestMessage Request(HttpMethod method, string path, string subject = "alice", string role = "owner")
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Add(IdentityVerifier.HeaderName, Token(subject, role));
        request.Headers.Add(SameOriginMiddleware.RequestHeader, "1");
        return request;
    }

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? body = null,
        params (string Name, string Value)[] headers
    )
    {
        var request = Request(method, path);
        request.Content = body;
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<HttpResponseMessage> PutAsync(string path, string content, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Put, path, new StringContent(content), headers);

    public static async Task<JsonNode> ProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal("urn:studio:problem:" + code, (string?)problem["type"]);
        Assert.All(["title", "detail", "remedy"], name => Assert.False(string.IsNullOrWhiteSpace((string?)problem[name])));
        return problem;
    }

    public async Task<ClientWebSocket> ConnectAsync(
        string query = "",
        string subject = "alice",
        string role = "owner",
        string? origin = null
    )
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader(IdentityVerifier.HeaderName, Token(subject, role));
        socket.Options.SetRequestHeader("Origin", origin ?? Address.GetLeftPart(UriPartial.Authority));
        socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await socket.ConnectAsync(new Uri($"ws://{Address.Authority}/api/terminal{query}"), default);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Http.Dispose();
        _issuer.Dispose();
        Directory.Delete(_outer, recursive: true);
    }
}
