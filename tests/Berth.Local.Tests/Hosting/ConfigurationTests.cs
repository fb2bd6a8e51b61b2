using Berth.Local.Hosting;
using Berth.Local.Identity;
using Testing;

namespace Berth.Local.Tests.Hosting;

public sealed class ConfigurationTests : IDisposable
{
    private const string Database = "Host=127.0.0.1;Database=berth";
    private readonly string _folder = Directory.CreateTempSubdirectory("configuration").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public async Task EdgeOf_SecondRun_HasTheSameVaultKeysFromPrivateFiles()
    {
        var first = await EdgeOfAsync(Database);
        var second = await EdgeOfAsync(Database);

        var (key, again) = (Assert.Single(first.Vault.Keys), Assert.Single(second.Vault.Keys));
        Assert.Equal((key.Id, key.Key), (again.Id, again.Key));
        Assert.Equal(32, Convert.FromBase64String(key.Key!).Length);
        var fingerprints = Assert.Single(first.Vault.FingerprintKeys);
        Assert.Equal(fingerprints.Key, Assert.Single(second.Vault.FingerprintKeys).Key);
        Assert.NotEqual(key.Key, fingerprints.Key);
        foreach (var file in new[] { "edge/vault-key", "edge/vault-fingerprint-key", "idp/connections-secret" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, file)));
        }
    }

    [Fact]
    public async Task EdgeOf_OtherKeyInTheFile_HasAnotherName()
    {
        var before = (await EdgeOfAsync(Database)).Vault.Keys[0].Id;
        File.Delete(Path.Combine(_folder, "edge/vault-key"));

        // The database knows keys by name: under the old one, the new key would be taken for a damaged one.
        Assert.NotEqual(before, (await EdgeOfAsync(Database)).Vault.Keys[0].Id);
    }

    [Fact]
    public async Task EdgeOf_DamagedVaultKey_SaysWhatRemovingItMeans()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "edge"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "edge/vault-key"), "short");

        var error = await Assert.ThrowsAsync<LocalConfigurationException>(() => EdgeOfAsync(Database));

        Assert.Contains("cannot be read any more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EdgeOf_WithoutDatabase_HasNoVaultAndNoConnections()
    {
        var edge = await EdgeOfAsync(null);

        Assert.Empty(edge.Vault.Keys);
        Assert.Empty(edge.Connections);
    }

    [Fact]
    public async Task EdgeOf_Profile_IsTheDevelopmentProvidersByAClientOfItsOwn()
    {
        var edge = await EdgeOfAsync(Database);

        var (name, connection) = Assert.Single(edge.Connections);
        Assert.Equal(("profile", "berth-connections"), (name, connection.ClientId));
        Assert.Equal(connection.Issuer, connection.Upstream!.BaseAddress);
        Assert.NotEqual(edge.Edge.Issuers[0].ClientId, connection.ClientId);
        Assert.NotEqual(edge.Edge.Issuers[0].ClientSecret, connection.ClientSecret);
    }

    private async Task<Berth.Edge.BerthEdgeOptions> EdgeOfAsync(string? database)
    {
        using var data = DataFolder.Open(_folder);
        var options = new LocalOptions { DataDirectory = _folder };
        var providerOptions = Configuration.Provider(options, data) with { Port = 0 };
        await using var provider = await DevelopmentProvider.StartAsync(providerOptions, null, new FakeTimeProvider(), CancellationToken.None);
        return Configuration.EdgeOf(options, data, provider, providerOptions, database);
    }
}
