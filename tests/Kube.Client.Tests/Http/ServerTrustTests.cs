using Kube.Client.Models;
using Kube.Client.Tests.Support;

namespace Kube.Client.Tests.Http;

public sealed class ServerTrustTests
{
    private readonly TestCertificates _certificates = new();

    [Fact]
    public async Task Server_SignedByTheCa_IsTrusted()
    {
        await using var server = Serve("127.0.0.1");
        await GetAsync(server.Config with { CertificateAuthorityPem = _certificates.CaPem });
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Server_SignedByTheSecondCaOfTheBundle_IsTrusted()
    {
        await using var server = Serve("127.0.0.1");
        await GetAsync(server.Config with { CertificateAuthorityPem = new TestCertificates().CaPem + "\n" + _certificates.CaPem });
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Server_SignedByAnother_IsRefusedOnceAndSaysSo()
    {
        await using var server = Serve("127.0.0.1");
        var error = await Assert.ThrowsAsync<KubeException>(() =>
            GetAsync(
                server.Config with
                {
                    CertificateAuthorityPem = new TestCertificates().CaPem,
                    Credentials = new() { Token = "secret" },
                }
            )
        );
        Assert.Contains("not signed by the certificate authority of the configuration", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Connections);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Server_NoCaGiven_IsRefusedAndNamesTheRemedy()
    {
        await using var server = Serve("127.0.0.1");
        var error = await Assert.ThrowsAsync<KubeException>(() => GetAsync(server.Config));
        Assert.Contains("certificate-authority-data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_RightCaWrongName_IsRefusedAndNamesBoth()
    {
        await using var server = Serve("other.example", "10.0.0.1");
        var error = await Assert.ThrowsAsync<KubeException>(() =>
            GetAsync(server.Config with { CertificateAuthorityPem = _certificates.CaPem })
        );
        Assert.Contains("not for \"127.0.0.1\" but for other.example, 10.0.0.1", error.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Server_Expired_IsRefusedAndSaysSo()
    {
        var expired = _certificates.Server(["127.0.0.1"], TimeProvider.System.GetUtcNow().AddHours(-1));
        await using var server = new ScriptedServer((_, c) => c.WriteAsync(Answer.Json(Answer.ConfigMap("x"))), expired);
        var error = await Assert.ThrowsAsync<KubeException>(() =>
            GetAsync(server.Config with { CertificateAuthorityPem = _certificates.CaPem })
        );
        Assert.Contains("expired", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_TlsServerName_IsSentAndChecked()
    {
        await using var server = Serve("api.internal");
        await GetAsync(server.Config with { CertificateAuthorityPem = _certificates.CaPem, TlsServerName = "api.internal" });

        // HttpClient may open more than one connection for one request.
        Assert.Equal("api.internal", Assert.Single(server.ServerNames.Distinct()));
        await using var other = Serve("127.0.0.1");
        await Assert.ThrowsAsync<KubeException>(() =>
            GetAsync(other.Config with { CertificateAuthorityPem = _certificates.CaPem, TlsServerName = "api.internal" })
        );
    }

    [Fact]
    public async Task Server_InsecureByChoice_IsTrusted()
    {
        await using var server = Serve("other.example");
        await GetAsync(server.Config with { InsecureSkipTlsVerify = true });
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task ClientCertificate_OfTheConfiguration_IsShown()
    {
        await using var server = Serve("127.0.0.1");
        var (certificate, key) = _certificates.Client();
        var config = server.Config with { CertificateAuthorityPem = _certificates.CaPem };
        await GetAsync(
            config with
            {
                Credentials = new() { ClientCertificatePem = certificate, ClientKeyPem = key },
            }
        );
        await GetAsync(config);
        Assert.Equal(["CN=somebody", null], server.ClientNames);
    }

    private ScriptedServer Serve(params string[] names) =>
        new((_, c) => c.WriteAsync(Answer.Json(Answer.ConfigMap("x"))), _certificates.Server(names));

    private static async Task GetAsync(KubeConfig config)
    {
        using var client = KubeClient.Create(config);
        await client.GetAsync<ConfigMap>("a", "x", Wait.Limit());
    }
}
