using Berth.Edge.Tests.Cluster;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.Vault;

/// <summary>
/// /readyz says how the vault stands, and does not take the replica out of service for it. It stops the server, so it has its own.
/// </summary>
public class ReadinessTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    [SkippableFact]
    public async Task Ready_DatabaseGoesAndComesBack_StaysReadyAndSaysSo()
    {
        Skip.If(postgres.SkipReason is not null || !postgres.IsOwned, postgres.SkipReason ?? "the server is not ours to stop");
        await using var edge = await StartAsync(postgres);
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };

        Assert.Equal("ok\ntoken vault: keys checked; database connected\n", await client.GetStringAsync("/readyz"));
        postgres.Stop();
        await ClusterFixture.Until(async () => (await client.GetStringAsync("/readyz"))
            .StartsWith("ok\ndegraded: token vault: keys checked; the database cannot be reached", StringComparison.Ordinal));
        postgres.Start();
        await ClusterFixture.Until(async () =>
            await client.GetStringAsync("/readyz") == "ok\ntoken vault: keys checked; database connected\n");
    }
}
