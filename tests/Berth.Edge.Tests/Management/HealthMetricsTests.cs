using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Berth.Accounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;

namespace Berth.Edge.Tests.Management;

/// <summary>What runs out is in the metrics before it has: keys, certificates, files that may be open, signs of life.</summary>
[Collection(ProcessMeters.Name)]
public class HealthMetricsTests
{
    [Fact]
    public async Task Metrics_KeysInUse_AgeSinceTheFirstUse()
    {
        await using var edge = await ProductFixture.StartAsync();
        var ages = edge.Get<KeyAges>();
        await ProductFixture.Until(() => ages.FirstUses.Count == 2);

        var text = await TextAsync(edge);

        foreach (var kind in (string[])["session", "identity"])
        {
            Assert.InRange(ValueOf(text, $"berth_edge_key_age_seconds{{kind=\"{kind}\"}}"), 0, 120);
        }

        // A vault that is not there has no keys, and a listener without TLS no certificate.
        Assert.DoesNotContain("kind=\"vault\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\nberth_edge_certificate_expires_timestamp_seconds ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeyAges_StoreIsAway_IsAskedAgainUntilItAnswers()
    {
        var accounts = new BrokenAccounts { IsDown = true };
        await using var edge = await ProductFixture.StartAsync(services: s => s.AddSingleton<IAccountStore>(accounts));
        var ages = edge.Get<KeyAges>();
        Assert.Empty(ages.FirstUses);

        accounts.IsDown = false;

        await ProductFixture.Until(() => ages.FirstUses.Count == 2);
    }

    [Fact]
    public void InUse_OneOfEachKind_ThatSigns_AndNoSecret()
    {
        using var edge = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = RandomNumberGenerator.GetBytes(32);
        var settings = EdgeSettingsParser.Parse(EdgeFixture.Options("http://127.0.0.1:1")) with
        {
            CookieKeys = [[.. key], [.. new byte[32]]],
        };
        var vault = new VaultOptions
        {
            Keys = [new() { Id = "old", State = VaultKeyState.DecryptOnly }, new() { Id = "new" }],
            FingerprintKeys = [new() { Id = "f1" }],
        };

        var keys = KeyAges.InUse(settings, vault);

        Assert.Equal(["session", "identity", "vault", "vault-fingerprint"], keys.Select(k => k.Kind));
        Assert.Equal(("new", "f1"), (keys[2].Id, keys[3].Id));
        var other = KeyAges.InUse(settings with { CookieKeys = [settings.CookieKeys[1], settings.CookieKeys[0]] }, vault);
        Assert.NotEqual(keys[0].Id, other[0].Id);
        Assert.DoesNotContain(keys[0].Id, Convert.ToHexStringLower(key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_ListenerHasACertificate_ItsEnd()
    {
        var folder = Directory.CreateTempSubdirectory("berth-certificate-");
        try
        {
            var end = new DateTimeOffset(2034, 5, 6, 7, 8, 9, TimeSpan.Zero);
            var (certificate, key) = (Path.Combine(folder.FullName, "tls.crt"), Path.Combine(folder.FullName, "tls.key"));
            using (var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            using (var made = new CertificateRequest("CN=x", pair, HashAlgorithmName.SHA256).CreateSelfSigned(end.AddYears(-1), end))
            {
                File.WriteAllText(certificate, made.ExportCertificatePem());
                File.WriteAllText(key, pair.ExportPkcs8PrivateKeyPem());
            }

            await using var edge = await ProductFixture.StartAsync();
            await using var listener = await ListenAsync(edge.Get<HealthMetrics>(), certificate, key);

            Assert.Equal(end.ToUnixTimeSeconds(), ValueOf(await TextAsync(edge), "berth_edge_certificate_expires_timestamp_seconds"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Metrics_OpenFilesAndSignsOfLife()
    {
        await using var edge = await ProductFixture.StartAsync();
        var lease = edge.Get<ActivityLease>();
        await ProductFixture.Until(() => edge.Get<ActivityService>().Claim.WrittenUntil is not null
            && edge.Kube.Find<Kube.Client.Models.Lease>(lease.Name) is not null);

        var text = await TextAsync(edge);

        var most = ValueOf(text, "process_max_fds");
        Assert.InRange(ValueOf(text, "process_open_fds"), 5, most);
        Assert.InRange(ValueOf(text, "berth_edge_activity_lease_age_seconds"), 0, 60);
        Assert.InRange(ValueOf(text, "berth_edge_activity_written_age_seconds"), 0, 60);
    }

    // The chart's alerts are compared with the documents and the sources; this compares the documents with what is really told.
    [Fact]
    public async Task Metrics_EachNameOfOurs_IsInTheDocuments()
    {
        await using var edge = await ProductFixture.StartAsync();
        using var api = edge.Api("user1");
        using (await api.GetAsync("/api/me"))
        {
        }

        var names = (await TextAsync(edge)).Split('\n')
            .Where(l => l.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(l => l.Split(' ')[2])
            .Where(n => n.StartsWith("berth_", StringComparison.Ordinal) || n.StartsWith("process_", StringComparison.Ordinal)).ToList();
        var documents = string.Concat(((string[])["edge.md", "edge-operating.md", "operating.md", "upstream.md", "vault.md"])
            .Select(d => Checkout.Read("docs", d)));

        Assert.Contains("berth_edge_key_age_seconds", names);
        Assert.DoesNotContain(names, n => !documents.Contains(n, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 1024L)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max cpu time              unlimited            unlimited            seconds   ", null)]
    public void LimitOf_AsTheKernelWritesIt_TheSoftOne(string line, long? expected) =>
        Assert.Equal(expected, OpenFiles.LimitOf(["Limit                     Soft Limit           Hard Limit           Units", line]));

    // The public listener as the program makes it.
    private static async Task<WebApplication> ListenAsync(HealthMetrics health, string certificate, string key)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(health);
        builder.WebHost.UseKestrelHttpsConfiguration();
        var options = new ListenerOptions { Address = "127.0.0.1", Port = 0, CertificateFile = certificate, KeyFile = key };
        builder.WebHost.ConfigureKestrel(k => PublicListener.Listen(k, options, TimeProvider.System));
        var app = builder.Build();
        await app.StartAsync();
        return app;
    }

    private static async Task<string> TextAsync(ProductFixture edge)
    {
        using var client = new HttpClient { BaseAddress = new Uri(edge.Get<ManagementServer>().Address!) };
        return await client.GetStringAsync("/metrics");
    }

    private static double ValueOf(string text, string series)
    {
        var line = text.Split('\n').Single(l => l.StartsWith(series + " ", StringComparison.Ordinal));
        return double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
