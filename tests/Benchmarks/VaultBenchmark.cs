using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Berth.Accounts;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Testing;

namespace Benchmarks;

/// <summary>Access tokens by id from the vault, warm and cold, beside the same provider asked directly in the same run.</summary>
internal static class VaultBenchmark
{
    private const int Tokens = 64;
    private const int Callers = 8;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(4);
    private static readonly PersonKey Owner = new("https://login.example", "bench");

    /// <summary>Runs it; needs PostgreSQL.</summary>
    public static async Task RunAsync()
    {
        using var postgres = new ThrowawayPostgres();
        if (postgres.SkipReason is { } reason)
        {
            await Console.Error.WriteLineAsync($"vault: {reason}");
            return;
        }

        var database = postgres.CreateDatabase();
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance).MigrateAsync(CancellationToken.None);
        }

        using var provider = new BenchProvider();
        var options = new VaultOptions
        {
            Keys = [NewKey("k")],
            FingerprintKeys = [NewKey("f")],
            ForcedRefreshInterval = TimeSpan.Zero,
        };
        var connection = new VaultConnection { Name = "bench", Issuer = provider.Origin, ClientId = "bench", Scopes = ["openid"] };
        await using var vault = new TokenVault(database, options, [connection], _ => { }, TimeProvider.System, NullLoggerFactory.Instance);
        await vault.StartAsync(CancellationToken.None);
        var ids = new Guid[Tokens];
        for (var i = 0; i < Tokens; i++)
        {
            ids[i] = (await vault.StoreAsync(
                new() { Owner = Owner, Connection = "bench", RefreshToken = $"rt-{i}", Purpose = $"{i}" }, CancellationToken.None)).Id;
        }

        using var http = new HttpClient();
        await MeasureAsync("vault.direct", (_, _) => AskAsync(http, provider.Origin));
        await MeasureAsync("vault.cold", (caller, count) => GetAsync(vault, ids[((count * Callers) + caller) % Tokens], force: true));
        await MeasureAsync("vault.warm", (caller, count) => GetAsync(vault, ids[((count * Callers) + caller) % Tokens], force: false));
    }

    private static async Task MeasureAsync(string what, Func<int, int, Task> work)
    {
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(c => work(c, 0))); // warm
        var times = new ConcurrentBag<List<double>>();
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var own = new List<double>();
            for (var count = 1; TimeProvider.System.GetElapsedTime(started) < Time; count++)
            {
                var begun = TimeProvider.System.GetTimestamp();
                await work(caller, count);
                own.Add(TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds);
            }

            times.Add(own);
        })));
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var all = times.SelectMany(t => t).Order().ToList();
        Program.Print($"{what}.rate", all.Count / seconds, "tokens/s");
        Program.Print($"{what}.p99", all[(int)(all.Count * 0.99)], "us");
    }

    private static async Task GetAsync(TokenVault vault, Guid id, bool force)
    {
        var result = await vault.GetAccessTokenAsync(id, Owner, new() { ForceRefresh = force }, CancellationToken.None);
        if (result.Outcome != AccessTokenOutcome.Granted)
        {
            throw new InvalidOperationException($"{result}");
        }
    }

    private static async Task AskAsync(HttpClient http, string origin)
    {
        using var form = new FormUrlEncodedContent(
            [new("grant_type", "refresh_token"), new("refresh_token", "rt"), new("client_id", "bench")]);
        using var answer = await http.PostAsync(new Uri(origin + "/token"), form);
        await answer.Content.ReadAsByteArrayAsync();
    }

    private static VaultKeyOptions NewKey(string id) => new() { Id = id, Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) };

    /// <summary>The least of a provider: discovery, and a token endpoint that always has new tokens.</summary>
    private sealed class BenchProvider : IDisposable
    {
        private readonly HttpListener _listener = new();

        public BenchProvider()
        {
            var port = Random.Shared.Next(20_000, 30_000);
            for (var attempt = 0; ; attempt++, port++)
            {
                try
                {
                    _listener.Prefixes.Clear();
                    _listener.Prefixes.Add($"http://127.0.0.1:{port}/");
                    _listener.Start();
                    break;
                }
                catch (HttpListenerException) when (attempt < 100)
                {
                    // Somebody has it.
                }
            }

            Origin = $"http://127.0.0.1:{port}";
            _ = RunAsync();
        }

        public string Origin { get; }

        public void Dispose() => _listener.Close();

        private async Task RunAsync()
        {
            while (_listener.IsListening)
            {
                try
                {
                    var context = await _listener.GetContextAsync();
                    _ = Task.Run(() => Answer(context));
                }
                catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
            }
        }

        private void Answer(HttpListenerContext context)
        {
            var token = new string('a', 1200);
            var text = context.Request.RawUrl == "/token"
                ? $$"""{"access_token":"{{token}}","refresh_token":"rt-{{Guid.NewGuid():n}}","expires_in":3600}"""
                : $$"""{"issuer":"{{Origin}}","token_endpoint":"{{Origin}}/token"}""";
            context.Response.ContentType = "application/json";
            context.Response.Close(Encoding.UTF8.GetBytes(text), willBlock: false);
        }
    }
}
