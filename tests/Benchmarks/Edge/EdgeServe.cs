using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Benchmarks.Operator;
using Berth.Edge;
using Kube.Client;
using Kube.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SessionOptions = Berth.Edge.SessionOptions;

namespace Benchmarks.Edge;

/// <summary>
/// The edge as it ships, before one workspace that any host leads to and whose owner is whoever the request's token names: for load from outside.
/// </summary>
/// <remarks>
/// <code>
/// edge-serve --port P --upstream URL --jwks FILE --issuer I --audience A [--session SUBJECT]
/// </code>
/// Everything between the listener and the upstream is the product's own, with its limits at their highest (a load is no attack here). What is
/// not: the Host header is replaced by the workspace's, the directory of workspaces knows this one, and keys come from a file. Without
/// <c>--jwks</c> the issuer is asked for them as usual. With <c>--session</c> it also prints a session cookie for that subject.
/// </remarks>
internal static class EdgeServe
{
    internal const string Command = "edge-serve";
    internal const string Usage = "Usage: edge-serve --port P --upstream URL [--jwks FILE] --issuer I --audience A [--session SUBJECT]";

    /// <summary>Host of the edge itself, for what is asked of it and not of a workspace.</summary>
    internal const string EdgeHost = "edge.localhost";

    /// <summary>Name of the workspace, and its host.</summary>
    internal const string Name = "ws-bench";
    internal const string WorkspaceHost = $"{Name}.{Domain}";

    private const string Domain = "bench.localhost";

    // The highest that configuration takes.
    private static readonly RateOptions Unbounded = new() { Requests = 1_000_000, Window = TimeSpan.FromSeconds(1) };

    /// <summary>Serves until its input or the process ends.</summary>
    internal static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        if (Parse(args) is not { } given)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        // :: Step 1. An API for the watches, in memory but for a folder it wants.
        var folder = Directory.CreateTempSubdirectory("berth-edge-serve-");
        await using var kube = await KubeServer.StartAsync(
            new KubeServerOptions { DataDirectory = folder.FullName, FlushToDisk = false }, NullLoggerFactory.Instance, TimeProvider.System);
        await using var api = await BenchApi.OpenAsync(kube.Kubeconfig);
        var ns = await api.NamespaceAsync();

        // :: Step 2.
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            BerthEdgeExtensions.ConfigureBerthEdge(k);
            k.Listen(IPAddress.Loopback, given.Port);
        });
        builder.Services.AddSingleton<IKubeClient>(api.Client);
        try
        {
            builder.Services.AddBerthEdge(Options(given, ns));
        }
        catch (EdgeConfigurationException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return 2;
        }

        var directory = new OneWorkspace(given);
        builder.Services.AddSingleton<IWorkspaceDirectory>(directory);
        if (given.Jwks is { } jwks)
        {
            builder.Services.AddSingleton(new OidcBackchannel(new FileProvider(given.Issuer, await File.ReadAllBytesAsync(jwks))));
        }

        await using var app = builder.Build();
        app.Use(directory.LeadAsync);
        app.UseBerthEdge();
        await app.StartAsync();

        // :: Step 3. Ready when the first request would not wait.
        await app.Services.GetRequiredService<WorkspaceWatch>().WaitForSyncAsync(default);
        await app.Services.GetRequiredService<IdentityProviders>().All[0].GetAsync(default);
        if (given.Session is { } subject)
        {
            Console.WriteLine("cookie " + Cookie(app.Services, given.Issuer, subject));
        }

        Console.WriteLine($"serving http://127.0.0.1:{given.Port}");
        await app.WaitForShutdownAsync();
        folder.Delete(recursive: true);
        return 0;
    }

    private static BerthEdgeOptions Options(ServeOptions given, string ns) => new()
    {
        Workspaces = new WorkspaceOptions { Namespace = ns, DefaultTemplate = BenchApi.Template },
        Edge = new EdgeOptions
        {
            PublicOrigin = $"http://{EdgeHost}:{given.Port}",
            WorkspaceDomain = Domain,
            Issuers =
            [
                new IssuerOptions
                {
                    Issuer = given.Issuer,
                    ClientId = "bench",
                    ClientSecret = "bench-secret-bench-secret-bench-secret",
                    Audience = given.Audience,

                    // Whoever brings tokens from outside may have made them for longer.
                    MaximumTokenLifetime = TimeSpan.FromDays(365),
                    AcceptUntypedAccessTokens = true,
                },
            ],
            Session = new SessionOptions { GenerateKey = true },
            Identity = new WorkspaceIdentityOptions { GenerateKey = true },
            TrustedProxies = ["127.0.0.1/32"],
            Limits = new EdgeLimitOptions
            {
                Address = Unbounded,
                SignIn = Unbounded,
                Person = Unbounded,
                Workspace = Unbounded,
                RequestsPerWorkspace = 1_000_000,
                WebSocketsPerPerson = 1_000_000,
                WebSocketsPerWorkspace = 1_000_000,
            },
        },
    };

    private static string Cookie(IServiceProvider services, string issuer, string subject)
    {
        var cookies = services.GetRequiredService<SessionCookies>();
        var now = TimeProvider.System.GetUtcNow();
        var session = new EdgeSession
        {
            Id = EdgeSession.NewId(),
            Issuer = issuer,
            Subject = subject,
            RenewedAt = now,
            ExpiresAt = now.AddHours(8),
            Epoch = 0,
        };
        var name = cookies.Names.Workspace;
        var value = services.GetRequiredService<CookieProtector>().Protect(
            ProtectionPurpose.WorkspaceSession, $"{name}\0{WorkspaceHost}", SessionCodec.Write(session));
        return $"{name}={value}";
    }

    private static ServeOptions? Parse(IReadOnlyList<string> args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i + 1 < args.Count; i += 2)
        {
            if (args[i] is not ("--port" or "--upstream" or "--jwks" or "--issuer" or "--audience" or "--session")
                || !values.TryAdd(args[i], args[i + 1]))
            {
                return null;
            }
        }

        return args.Count % 2 == 0 && values.TryGetValue("--port", out var text)
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && values.TryGetValue("--upstream", out var upstream) && Uri.TryCreate(upstream, UriKind.Absolute, out var uri) && uri.Scheme == "http"
            && values.TryGetValue("--issuer", out var issuer) && values.TryGetValue("--audience", out var audience)
            ? new ServeOptions(port, uri, values.GetValueOrDefault("--jwks"), issuer, audience, values.GetValueOrDefault("--session"))
            : null;
    }

    private sealed record ServeOptions(int Port, Uri Upstream, string? Jwks, string Issuer, string Audience, string? Session);

    /// <summary>The directory with one workspace: of every host but the edge's own, owned by whoever the request's token names.</summary>
    private sealed class OneWorkspace(ServeOptions given) : IWorkspaceDirectory
    {
        private readonly ConcurrentDictionary<string, WorkspaceEntry> _entries = new(StringComparer.Ordinal);

        // A load often sends one token again and again: it is not read anew each time, which would be counted as the edge's work.
        private Known? _last;
        private readonly AsyncLocal<WorkspaceEntry?> _asked = new();

        // A session has no bearer token to read; its owner is the one whose cookie was printed.
        private readonly WorkspaceEntry _default = Entry(given, given.Session ?? "nobody");

        // It never changes.
        public IWorkspaceChanges Subscribe(string name) => new WorkspaceTable().Subscribe(name);

        public Task LeadAsync(HttpContext context, RequestDelegate next)
        {
            var headers = context.Request.Headers;
            if (context.Request.Path.StartsWithSegments("/auth/forward", StringComparison.Ordinal))
            {
                return next(context);
            }

            if (!context.Request.Host.Host.Equals(EdgeHost, StringComparison.OrdinalIgnoreCase))
            {
                headers.Host = $"{WorkspaceHost}:{given.Port}";
                _asked.Value = Of(headers.Authorization.ToString());
            }

            return next(context);
        }

        private WorkspaceEntry Of(string header)
        {
            if (header.Length <= 7)
            {
                return _default;
            }

            if (Volatile.Read(ref _last) is { } last && last.Header == header)
            {
                return last.Entry;
            }

            var entry = Subject(header.AsSpan(7)) is { } subject ? _entries.GetOrAdd(subject, s => Entry(given, s)) : _default;
            Volatile.Write(ref _last, new Known(header, entry));
            return entry;
        }

        public bool TryFindByHost(string host, [NotNullWhen(true)] out WorkspaceEntry? entry)
        {
            entry = host == WorkspaceHost ? _asked.Value ?? _default : null;
            return entry is not null;
        }

        private sealed record Known(string Header, WorkspaceEntry Entry);

        private static WorkspaceEntry Entry(ServeOptions given, string subject) => new()
        {
            Name = Name,
            Namespace = "bench",
            Host = WorkspaceHost,
            Url = $"http://{WorkspaceHost}:{given.Port}",
            OwnerIssuer = given.Issuer,
            OwnerSubject = subject,
            Phase = "Running",
            Target = new WorkspaceTarget(given.Upstream.Host, given.Upstream.Port),
        };

        // Unverified: who may pass is still for the edge to say, this only makes the workspace theirs.
        private static string? Subject(ReadOnlySpan<char> token)
        {
            var first = token.IndexOf('.');
            var rest = first < 0 ? default : token[(first + 1)..];
            var second = rest.IndexOf('.');
            if (second <= 0 || second > 4096)
            {
                return null;
            }

            Span<byte> bytes = stackalloc byte[4096];
            if (!System.Buffers.Text.Base64Url.TryDecodeFromChars(rest[..second], bytes, out var length))
            {
                return null;
            }

            try
            {
                var reader = new Utf8JsonReader(bytes[..length]);
                while (reader.Read())
                {
                    if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("sub"u8))
                    {
                        reader.Read();
                        return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                    }
                }
            }
            catch (JsonException)
            {
                // The edge will say so.
            }

            return null;
        }
    }

    /// <summary>A provider that is a file: its discovery document names an address that leads back here.</summary>
    private sealed class FileProvider(string issuer, byte[] jwks) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var root = issuer.TrimEnd('/');
            var discovery = JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["issuer"] = issuer,
                ["authorization_endpoint"] = root + "/authorize",
                ["token_endpoint"] = root + "/token",
                ["jwks_uri"] = root + "/jwks",
                ["code_challenge_methods_supported"] = new[] { "S256" },
                ["response_types_supported"] = new[] { "code" },
            });
            var isKeys = request.RequestUri?.AbsolutePath.EndsWith("/jwks", StringComparison.Ordinal) == true;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new ByteArrayContent(isKeys ? jwks : Encoding.UTF8.GetBytes(discovery)),
            });
        }
    }
}
