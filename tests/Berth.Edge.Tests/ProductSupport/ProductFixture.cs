using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Edge.Tests;

/// <summary>
/// The whole edge on Kestrel: real pipeline, pages and API; a provider and a Kubernetes API beside it that tests can bend.
/// </summary>
internal sealed class ProductFixture : IAsyncDisposable
{
    public const string Origin = "http://localhost:8080";
    public const string Namespace = "people";

    private readonly WebApplication _app;

    private readonly FakeKube? _kube;

    private ProductFixture(WebApplication app, FakeProvider provider, FakeKube? kube)
    {
        _app = app;
        Provider = provider;
        _kube = kube;
    }

    public FakeProvider Provider { get; }

    public FakeKube Kube => _kube ?? throw new InvalidOperationException("This edge runs on an API of its own.");

    public int Port { get; private set; }

    public static async Task<ProductFixture> StartAsync(
        Func<BerthEdgeOptions, BerthEdgeOptions>? options = null, Action<IServiceCollection>? services = null, FakeKube? kube = null,
            FakeProvider? provider = null, IKubeClient? api = null, IPAddress? address = null, int port = 0)
    {
        provider ??= await FakeProvider.StartAsync(TimeProvider.System);
        if (api is null)
        {
            kube ??= new FakeKube();
            kube.Put(Template());
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            BerthEdgeExtensions.ConfigureBerthEdge(k);
            k.Listen(address ?? IPAddress.Loopback, port);
        });
        builder.Services.AddSingleton(api ?? kube!);
        services?.Invoke(builder.Services);
        var given = new BerthEdgeOptions
        {
            Edge = EdgeFixture.Options(provider.Issuer),
            Workspaces = new WorkspaceOptions { Namespace = Namespace },
            Drain = new DrainOptions { Lead = TimeSpan.Zero, Grace = TimeSpan.Zero },
        };
        builder.Services.AddBerthEdge(options?.Invoke(given) ?? given);
        var app = builder.Build();
        app.UseBerthEdge();
        await app.StartAsync();
        var fixture = new ProductFixture(app, provider, kube) { Port = new Uri(app.Urls.Single()).Port };
        await fixture.Get<IdentityProviders>().All[0].GetAsync(CancellationToken.None);
        return fixture;
    }

    public static WorkspaceTemplate Template(string name = "studio", params TemplateParameter[] parameters) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = Namespace },
        Spec = new WorkspaceTemplateSpec { Image = "studio:1", DisplayName = name == "studio" ? "Studio" : null, Parameters = parameters },
    };

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public Browser NewBrowser() => new(NewHandler());

    public async Task<Browser> SignedInAsync(string subject)
    {
        Provider.Subject = subject;
        var browser = NewBrowser();
        using var answer = await browser.FollowAsync($"{Origin}/login?return=%2Ftos");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return browser;
    }

    public string NameOf(string subject) => WorkspaceNames.ForOwner(Provider.Issuer, subject);

    public string HostOf(string subject) => $"http://{NameOf(subject)}.localhost:8080";

    /// <summary>A client of the API with a bearer token.</summary>
    public HttpClient Api(string subject)
    {
        Provider.Subject = subject;
        var token = Provider.Sign(Provider.AccessTokenClaims(EdgeFixture.Audience), "at+jwt");
        var client = new HttpClient(NewHandler()) { BaseAddress = new Uri(Origin) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        return client;
    }

    /// <summary>What the operator would do: the workspace runs at an address.</summary>
    public void MakeReady(string name, int port)
    {
        var workspace = Kube.Find<UserWorkspace>(name)!;
        SetStatus(name, new UserWorkspaceStatus { Phase = WorkspacePhases.Running, ObservedGeneration = workspace.Metadata.Generation });
        Kube.Put(new Endpoints
        {
            Metadata = new ObjectMeta { Name = name, Namespace = Namespace },
            Subsets = [new EndpointSubset { Addresses = [new EndpointAddress { IP = "127.0.0.1" }],
                Ports = [new EndpointPort { Name = "http", Port = port }] }],
        });
    }

    /// <summary>A client of the API, with the person's workspace running at a port of this machine.</summary>
    public async Task<HttpClient> WithWorkspaceAsync(string subject, int port)
    {
        var api = Api(subject);
        using var made = await api.PostAsync("/api/workspaces", null);
        MakeReady(NameOf(subject), port);
        var host = new Uri(HostOf(subject)).Host;
        await Until(() => Get<WorkspaceTable>().TryFindByHost(host, out var entry) && entry.IsReady);
        return api;
    }

    /// <summary>A WebSocket to the person's workspace, with the client's token.</summary>
    public async Task<ClientWebSocket> ConnectAsync(HttpClient api, string subject, string path = "/socket")
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", api.DefaultRequestHeaders.Authorization!.ToString());
        using var invoker = new HttpMessageInvoker(NewHandler());
        var address = HostOf(subject).Replace("http:", "ws:", StringComparison.Ordinal) + path;
        await socket.ConnectAsync(new Uri(address), invoker, CancellationToken.None);
        return socket;
    }

    public void SetStatus(string name, UserWorkspaceStatus status) => Kube.Put(Kube.Find<UserWorkspace>(name)! with { Status = status });

    public SocketsHttpHandler NewHandler() => Loopback.Handler(Port);

    public static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    public static async Task Until(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
        {
            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>An orderly end, as after SIGTERM; the provider stays.</summary>
    public async Task StopAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Provider.DisposeAsync();
    }
}
