using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Edge.Tests.Composition;

/// <summary>The public listener with TLS: HTTP/2 where the client can, and a certificate that is renewed under way.</summary>
public sealed class CertificateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-certificates-");
    private readonly FakeTimeProvider _clock = new();

    private string CertificateFile => Path.Combine(_folder.FullName, "tls.crt");

    private string KeyFile => Path.Combine(_folder.FullName, "tls.key");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Current_FilesChange_AreReadAgain()
    {
        Write("one");
        var files = Files();
        Write("two");
        Assert.Equal("CN=one", files.Current().TargetCertificate.Subject);

        _clock.Advance(CertificateFiles.LookEvery);

        Assert.Equal("CN=two", files.Current().TargetCertificate.Subject);
    }

    // A renewal writes two files, one after the other.
    [Fact]
    public void Current_KeyIsNotThereYet_OldOneStays()
    {
        Write("one");
        var files = Files();
        var key = File.ReadAllText(KeyFile);
        Write("two");
        var newKey = File.ReadAllText(KeyFile);
        File.WriteAllText(KeyFile, key);
        _clock.Advance(CertificateFiles.LookEvery);
        Assert.Equal("CN=one", files.Current().TargetCertificate.Subject);

        File.WriteAllText(KeyFile, newKey);
        _clock.Advance(CertificateFiles.LookEvery);

        Assert.Equal("CN=two", files.Current().TargetCertificate.Subject);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no PEM")]
    public void Start_FilesCannotBeUsed_SaysWhich(string? content)
    {
        Write("one");
        if (content is null)
        {
            File.Delete(KeyFile);
        }
        else
        {
            File.WriteAllText(CertificateFile, content);
        }

        var error = Assert.Throws<EdgeConfigurationException>(Files);

        Assert.Contains("Listener:CertificateFile", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(1, 1)]
    public async Task Tls_BothProtocols_ByWhatTheClientAsksFor(int major, int minor)
    {
        Write("localhost");
        var port = LoopbackPort.Free();
        await using var app = await StartAsync(new ListenerOptions
        {
            Address = "127.0.0.1",
            Port = port,
            CertificateFile = CertificateFile,
            KeyFile = KeyFile,
        });
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, c, _, _) => c!.Subject == "CN=localhost" },
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{port}/")
        {
            Version = new Version(major, minor),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var answer = await http.SendAsync(request);

        Assert.Equal($"https HTTP/{major}{(minor == 0 ? "" : ".1")}", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Clear_SecondPortSpeaksHttp2()
    {
        var ports = LoopbackPort.Free(2);
        var (port, second) = (ports[0], ports[1]);
        await using var app = await StartAsync(new ListenerOptions { Address = "127.0.0.1", Port = port, Http2Port = second });
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://localhost:{second}/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var answer = await http.SendAsync(request);

        Assert.Equal("http HTTP/2", await answer.Content.ReadAsStringAsync());
        Assert.Equal("http HTTP/1.1", await http.GetStringAsync($"http://localhost:{port}/"));
    }

    [Fact]
    public void Check_CertificateWithoutKey_AndOnePortForBoth_AreNamed()
    {
        var problems = new List<string>();

        new ListenerOptions { CertificateFile = "tls.crt", Port = 8080, Http2Port = 8080 }.Check(problems);

        Assert.Equal(["Berth:Edge:Listener:Http2Port", "Berth:Edge:Listener:KeyFile"], problems.Select(p => p.Split(' ')[0]));
    }

    private static async Task<WebApplication> StartAsync(ListenerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => PublicListener.Listen(k, options, TimeProvider.System));
        var app = builder.Build();
        app.Run(context => context.Response.WriteAsync($"{context.Request.Scheme} {context.Request.Protocol}"));
        await app.StartAsync();
        return app;
    }

    private CertificateFiles Files() => new(CertificateFile, KeyFile, _clock, NullLogger.Instance);

    private void Write(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }
}
