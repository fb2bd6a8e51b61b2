using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Berth.Accounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Edge.Tests.ApiProxy;

/// <summary>What an API saw of a call.</summary>
internal sealed record Seen(string Method, string Target, Dictionary<string, string[]> Headers, byte[] Body)
{
    public string? Header(string name) => Headers.TryGetValue(name, out var values) ? string.Join(",", values) : null;
}

/// <summary>The whole edge with one connection, <c>api</c>, to an API whose answers a test writes.</summary>
internal sealed class ProxyFixture : IAsyncDisposable
{
    public const string BasePath = "/v1";

    private readonly WebApplication _api;

    private ProxyFixture(WebApplication api) => _api = api;

    public ConcurrentQueue<Seen> Calls { get; } = new();

    public ScriptedVault Vault { get; } = new();

    /// <summary>How the API answers; 200 with "ok" unless a test says otherwise. The body has been read already.</summary>
    public Func<HttpContext, Seen, Task> Answer { get; set; } = (context, _) => context.Response.WriteAsync("ok");

    public string ApiOrigin { get; private set; } = "";

    public ProductFixture Edge { get; private set; } = null!;

    public static async Task<ProxyFixture> StartAsync(
        Func<UpstreamOptions, UpstreamOptions>? options = null, bool withVault = true, FakeKube? kube = null,
        Action<IServiceCollection>? services = null, EdgeLimitOptions? limits = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var api = builder.Build();
        var fixture = new ProxyFixture(api);
        api.Run(fixture.HandleAsync);
        await api.StartAsync();
        fixture.ApiOrigin = api.Urls.Single();
        var upstream = new UpstreamOptions
        {
            BaseAddress = fixture.ApiOrigin + BasePath,
            AllowedMethods = ["GET", "HEAD", "POST", "PUT", "OPTIONS"],
            AllowedPaths = ["/items/**", "GET /only-get", "/"],
        };
        fixture.Edge = await ProductFixture.StartAsync(
            o => o with
            {
                Edge = o.Edge with { Limits = limits ?? o.Edge.Limits },
                Connections = new Dictionary<string, ConnectionOptions>
                {
                    ["api"] = new() { Provider = "main", Upstream = options?.Invoke(upstream) ?? upstream },
                    ["tokens-only"] = new() { Provider = "main" },
                },
            },
            s =>
            {
                if (withVault)
                {
                    s.AddSingleton<ITokenVault>(fixture.Vault);
                }

                services?.Invoke(s);
            },
            kube);
        return fixture;
    }

    public HttpClient As(string subject) => Edge.Api(subject);

    public HttpClient Anonymous() => new(Edge.NewHandler()) { BaseAddress = new Uri(ProductFixture.Origin) };

    /// <summary>Sends bytes as they are and reads until the edge closes.</summary>
    public async Task<string> RawAsync(string request)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Edge.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    public PersonKey Person(string subject) => new(Edge.Provider.Issuer, subject);

    /// <summary>The answer's error document; fails when it is not one in every field.</summary>
    public static async Task<(int Status, string Code, JsonObject Details)> ErrorAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        var body = Assert.IsType<JsonObject>(JsonNode.Parse(text));
        Assert.Equal(["code", "details", "error", "operation"], body.Select(p => p.Key).Order());
        Assert.Equal("proxy", (string?)body["operation"]);
        Assert.NotEmpty((string)body["error"]!);
        Assert.DoesNotContain("secret-", text, StringComparison.Ordinal);
        return ((int)answer.StatusCode, (string)body["code"]!, body["details"]!.AsObject());
    }

    public async ValueTask DisposeAsync()
    {
        await Edge.DisposeAsync();
        await _api.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var seen = new Seen(
            context.Request.Method,
            context.Features.Get<IHttpRequestFeature>()!.RawTarget,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToArray()!, StringComparer.OrdinalIgnoreCase)!,
            body.ToArray());
        Calls.Enqueue(seen);
        await Answer(context, seen);
    }

    public static StringContent Text(string text) => new(text, Encoding.UTF8, "text/plain");
}
