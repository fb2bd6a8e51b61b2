using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>
/// A vault in a process of its own, this assembly started as a program: so that it can be ended as a machine ends. It reads lines
/// <c>token subject callers</c> and answers each with a line of outcomes and of the hashes of the access tokens
/// they got.
/// </summary>
internal sealed class VaultProcess : IAsyncDisposable
{
    public const string Command = "vault";
    private readonly Process _process;

    private VaultProcess(Process process) => _process = process;

    public static async Task<VaultProcess> StartAsync(VaultWorld world)
    {
        var info = new ProcessStartInfo("dotnet", ["exec", typeof(VaultProcess).Assembly.Location, Command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(info)!;
        var vault = new VaultProcess(process);
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(
            new Settings(world.Database, world.Options.Keys[0].Key!, world.Options.FingerprintKeys[0].Key!, world.Connection.Issuer,
                world.Options.Lease.TotalSeconds)));
        Assert.Equal("ready", await vault.ReadAsync());
        return vault;
    }

    /// <summary>Asks from so many callers at once.</summary>
    public Task AskAsync(Guid token, string subject, int callers) =>
        _process.StandardInput.WriteLineAsync($"{token} {subject} {callers}");

    public async Task<string> ReadAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        return await _process.StandardOutput.ReadLineAsync(limit.Token) ?? "(ended)";
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    /// <summary>The program.</summary>
    public static async Task RunAsync()
    {
        var settings = JsonSerializer.Deserialize<Settings>((await Console.In.ReadLineAsync())!)!;
        var options = new VaultOptions
        {
            Keys = [new() { Id = "k1", Key = settings.Key }],
            FingerprintKeys = [new() { Id = "f1", Key = settings.FingerprintKey }],
            ForcedRefreshInterval = TimeSpan.Zero,
            Lease = TimeSpan.FromSeconds(settings.LeaseSeconds),
            ProviderTimeout = TimeSpan.FromSeconds(settings.LeaseSeconds / 2),
        };
        var connection = new VaultConnection
        {
            Name = "calendar",
            Issuer = settings.Issuer,
            ClientId = "berth",
            ClientSecret = ForeignProvider.Secret,
            Scopes = ["openid", "offline_access"],
        };
        await using var vault = new TokenVault(
            settings.Database, options, [connection], _ => { }, TimeProvider.System, NullLoggerFactory.Instance);
        await vault.StartAsync(default);
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var parts = line.Split(' ');
            var results = await Task.WhenAll(Enumerable.Range(0, int.Parse(parts[2])).Select(_ => vault.GetAccessTokenAsync(
                Guid.Parse(parts[0]), new PersonKey("https://login.example", parts[1]), default, default)));
            var outcomes = string.Join(',', results.GroupBy(r => r.Outcome).Select(g => $"{g.Key}={g.Count()}"));
            var tokens = results.Select(r => r.Token?.Value).OfType<string>().Distinct().ToList();
            var hash = string.Join(',', tokens.Select(t => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(t)))));
            Console.WriteLine($"{outcomes} {hash}");
        }
    }

    private sealed record Settings(string Database, string Key, string FingerprintKey, string Issuer, double LeaseSeconds);
}
