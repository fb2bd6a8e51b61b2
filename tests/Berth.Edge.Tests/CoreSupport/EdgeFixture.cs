using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;

namespace Berth.Edge.Tests;

/// <summary>
/// The real pipeline on Kestrel, with a provider and an upstream beside it. Public names resolve to it whatever its port is.
/// </summary>
internal sealed class EdgeFixture : IAsyncDisposable
{
    public const string Origin = "http://localhost:8080";
    public const string WorkspaceHost = "ws-one.localhost";
    public const string WorkspaceOrigin = "http://ws-one.localhost:8080";
    public const string OtherHost = "ws-two.localhost";
    public const string OtherOrigin = "http://ws-two.localhost:8080";
    public const string Audience = "https://api.example.test";

    private readonly WebApplication _app;

    private EdgeFixture(WebApplication app, FakeTimeProvider clock, FakeProvider provider, Upstream upstream, TableDirectory directory)
    {
        _app = app;
        Clock = clock;
        Provider = provider;
        Upstream = upstream;
        Directory = directory;
    }

    public FakeTimeProvider Clock { get; }

    public FakeProvider Provider { get; }

    public Upstream Upstream { get; }

    public TableDirectory Directory { get; }

    public int Port { get; private set; }

    /// <summary>The same edge over HTTP/2 in clear.</summary>
    public int Http2Port { get; private set; }

    public IServiceProvider Services => _app.Services;

    public static async Task<EdgeFixture> StartAsync(
        Action<FakeProvider>? provider = null, Func<EdgeOptions, EdgeOptions>? options = null, Action<IServiceCollection>? services = null,
            bool waitForProvider = true)
    {
        var clock = new FakeTimeProvider();
        var fake = await FakeProvider.StartAsync(clock);
        provider?.Invoke(fake);
        var upstream = await Upstream.StartAsync();
        var directory = new TableDirectory();
        directory.Put(Entry(WorkspaceHost, fake.Issuer, "user1", upstream.Port));
        directory.Put(Entry(OtherHost, fake.Issuer, "user2", upstream.Port));

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            BerthEdgeExtensions.ConfigureBerthEdge(k);
            k.Listen(IPAddress.Loopback, 0);
            k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddRouting();
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddSingleton<IWorkspaceDirectory>(directory);
        services?.Invoke(builder.Services);
        var edgeOptions = Options(fake.Issuer);
        builder.Services.AddBerthEdgeCore(options?.Invoke(edgeOptions) ?? edgeOptions);
        var app = builder.Build();
        app.UseWebSockets();
        app.UseBerthEdgeCore();
        app.UseRouting();
        app.MapBerthEdgeCore();
        app.MapGet("/whoami", context =>
            context.Response.WriteAsync(context.GetCaller() is { } c ? $"{c.Kind} {c.Subject} {c.IsAdministrator}" : "stranger"));
        app.MapPost("/change", context => context.Response.WriteAsync("changed by " + context.GetCaller()?.Subject));
        await app.StartAsync();
        var fixture = new EdgeFixture(app, clock, fake, upstream, directory)
        {
            Port = new Uri(app.Urls.First()).Port,
            Http2Port = new Uri(app.Urls.Last()).Port,
        };
        if (waitForProvider)
        {
            // By the background load alone: a second one beside it would come at any time, and tests count requests.
            var first = app.Services.GetRequiredService<IdentityProviders>().All[0];
            await ProductFixture.Until(() => first.Current is not null);
        }

        return fixture;
    }

    public static EdgeOptions Options(string issuer) => new()
    {
        PublicOrigin = Origin,
        WorkspaceDomain = "localhost",
        Issuers = [new IssuerOptions { Issuer = issuer, ClientId = FakeProvider.ClientId, ClientSecret = FakeProvider.ClientSecret,
            Audience = Audience }],
        Administrators = [new AdministratorOptions { Issuer = issuer, Subject = "admin" }],
        Session = new SessionOptions { GenerateKey = true },
        Identity = new WorkspaceIdentityOptions { GenerateKey = true },
    };

    public static WorkspaceEntry Entry(string host, string issuer, string owner, int? port) => new()
    {
        Name = host.Split('.')[0],
        Namespace = "berth",
        Host = host,
        Url = $"http://{host}:8080",
        OwnerIssuer = issuer,
        OwnerSubject = owner,
        Phase = port is null ? "Starting" : "Running",
        Target = port is null ? null : new WorkspaceTarget("127.0.0.1", port.Value),
    };

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public Browser NewBrowser() => new(NewHandler());

    public async Task<Browser> SignedInAsync(string subject)
    {
        Provider.Subject = subject;
        var browser = NewBrowser();
        using var answer = await browser.FollowAsync($"{Origin}/login");
        return browser;
    }

    /// <summary>A handler that connects every name of the fixture to the edge, and anything else to where it says.</summary>
    public SocketsHttpHandler NewHandler() => Loopback.Handler(Port);

    /// <summary>Sends bytes as they are and reads until the edge closes or the headers are complete.</summary>
    public async Task<string> RawAsync(string request, bool headersOnly = false)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var answer = new StringBuilder();
        var buffer = new byte[8192];
        int read;
        while ((read = await stream.ReadAsync(buffer, deadline.Token)) > 0)
        {
            answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            if (headersOnly && answer.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                break;
            }
        }

        return answer.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Provider.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}

/// <summary>A directory that tests fill.</summary>
internal sealed class TableDirectory : IWorkspaceDirectory
{
    private readonly WorkspaceTable _table = new();

    public WorkspaceEntry this[string host] => _table.TryFindByHost(host, out var entry) ? entry : throw new KeyNotFoundException(host);

    public void Put(WorkspaceEntry entry)
    {
        _table.Put(entry);
        _table.Announce(entry.Name);
    }

    public void Remove(string host)
    {
        var gone = _table.Remove(host);
        _table.Announce(gone!.Name);
    }

    public bool TryFindByHost(string host, [NotNullWhen(true)] out WorkspaceEntry? entry) => _table.TryFindByHost(host, out entry);

    public IWorkspaceChanges Subscribe(string name) => _table.Subscribe(name);
}
