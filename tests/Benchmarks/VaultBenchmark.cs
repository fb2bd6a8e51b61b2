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
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(4);
    private static readonly PersonKey Owner = new("https://login.example", "bench");

    /// <summary>Runs it; needs PostgreSQL's programs.</summary>
    /// <remarks>
    /// <c>direct</c> is the provider alone. <c>floor</c> is the database alone: the two commits that no refresh can do without (the lease
    /// before the provider is asked, the new tokens after it), as bare prepared statements. <c>cold</c> is both and all around them. Floor
    /// and cold are measured with fsync and without, to tell what the disk costs.
    /// </remarks>
    public static async Task RunAsync()
    {
        using var postgres = PostgresInstance.Create(out var reason);
        if (postgres is null)
        {
            await Console.Error.WriteLineAsync($"vault: {reason}");
            return;
        }

        using var provider = new BenchProvider();
        using var http = new HttpClient();
        await MeasureAsync("vault.direct", (_, _) => AskAsync(http, provider.Origin));
        foreach (var fsync in (string[])["off", "on"])
        {
            postgres.Start($"fsync={fsync}");
            var database = $"vault_{fsync}";
            postgres.Run("createdb", database);
            await RunAsync(provider, $"{postgres.ConnectionString};Database={database}", $".fsync-{fsync}");
            NpgsqlConnection.ClearAllPools();
            postgres.Stop("fast");
        }
    }

    private static async Task RunAsync(BenchProvider provider, string database, string suffix)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await new AccountsMigrator(source, NullLogger<AccountsMigrator>.Instance).MigrateAsync(CancellationToken.None);
        var options = new VaultOptions
        {
            Keys = [NewKey("k")],
            FingerprintKeys = [NewKey("f")],
            ForcedRefreshInterval = TimeSpan.Zero,
        };
        var connection = new VaultConnection { Name = "bench", Issuer = provider.Origin, ClientId = "bench", Scopes = ["openid"] };
        await using var vault = new TokenVault(database, options, [connection], _ => { }, TimeProvider.System, NullLoggerFactory.Instance);
        await vault.StartAsync(CancellationToken.None);
        var ids = await StoreAsync(vault, "cold");
        var bare = await StoreAsync(vault, "floor");
        var sealedBytes = RandomNumberGenerator.GetBytes(1300);
        const string Lease = "UPDATE berth.vault_tokens SET refreshing_until = now(), lease_id = $2 WHERE id = $1";
        const string Commit = """
            UPDATE berth.vault_tokens SET version = version + 1, lease_id = NULL, access_token = $2, refreshed_at = now() WHERE id = $1
            """;
        await MeasureAsync($"vault.floor{suffix}", async (caller, count) =>
        {
            var id = Pick(bare, caller, count);
            await ExecuteAsync(source, Lease, id, id);
            await ExecuteAsync(source, Commit, id, sealedBytes);
        });
        await MeasureAsync($"vault.cold{suffix}", (caller, count) => GetAsync(vault, Pick(ids, caller, count), force: true));
        await MeasureAsync($"vault.warm{suffix}", (caller, count) => GetAsync(vault, Pick(ids, caller, count), force: false));
    }

    private static Guid Pick(Guid[] ids, int caller, int count) => ids[((count * Callers) + caller) % Tokens];

    private static async Task<Guid[]> StoreAsync(TokenVault vault, string purpose)
    {
        var ids = new Guid[Tokens];
        for (var i = 0; i < Tokens; i++)
        {
            ids[i] = (await vault.StoreAsync(
                new() { Owner = Owner, Connection = "bench", RefreshToken = $"rt-{purpose}-{i}", Purpose = $"{purpose}{i}" },
                CancellationToken.None)).Id;
        }

        return ids;
    }

    private static async Task ExecuteAsync<T>(NpgsqlDataSource source, string sql, Guid id, T value)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = id }, new NpgsqlParameter<T> { TypedValue = value } },
        };
        await command.PrepareAsync();
        await command.ExecuteNonQueryAsync();
    }

    private static async Task MeasureAsync(string what, Func<int, int, Task> work)
    {
        // Compiled, connected and prepared first: at a thousand a second the runtime needs seconds until it has the final code.
        await RunAsync(work, WarmUp);
        var used = Environment.CpuUsage.TotalTime;
        var (times, seconds) = await RunAsync(work, Time);
        Program.Print($"{what}.cpu", (Environment.CpuUsage.TotalTime - used).TotalMicroseconds / times.Count, "us/token");
        Program.Print($"{what}.rate", times.Count / seconds, "tokens/s");
        Program.Print($"{what}.p99", times[(int)(times.Count * 0.99)], "us");
    }

    private static async Task<(List<double> Times, double Seconds)> RunAsync(Func<int, int, Task> work, TimeSpan time)
    {
        var times = new ConcurrentBag<List<double>>();
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var own = new List<double>();
            for (var count = 1; TimeProvider.System.GetElapsedTime(started) < time; count++)
            {
                var begun = TimeProvider.System.GetTimestamp();
                await work(caller, count);
                own.Add(TimeProvider.System.GetElapsedTime(begun).TotalMicroseconds);
            }

            times.Add(own);
        })));
        return ([.. times.SelectMany(t => t).Order()], TimeProvider.System.GetElapsedTime(started).TotalSeconds);
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
