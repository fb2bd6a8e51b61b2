using System.Net.Http.Headers;
using System.Net.Security;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Http;

/// <summary>A real server on a free port, and a client that trusts only the CA of its kubeconfig.</summary>
public sealed class ApiFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kube-server-").FullName;

    public KubeServer Server { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await KubeServer.StartAsync(new KubeServerOptions { DataDirectory = _folder }, NullLoggerFactory.Instance, TimeProvider.System);
        var pki = Path.Combine(_folder, "pki");
        var ca = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(Path.Combine(pki, "ca.crt"));
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new() { TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { ca }, RevocationMode = 0 },
            },
        };
        Client = new HttpClient(handler) { BaseAddress = Server.BaseUri, Timeout = TimeSpan.FromSeconds(60) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await File.ReadAllTextAsync(Path.Combine(pki, "admin.token")));
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public async Task<(int Code, JsonObject Body)> SendAsync(string method, string path, string? body = null, string type = "application/json", string accept = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.StartsWith('{') ? (JsonObject)JsonNode.Parse(text)! : new JsonObject { ["text"] = text });
    }

    public async Task<string> NamespaceAsync()
    {
        var (code, body) = await SendAsync("POST", "/api/v1/namespaces", """{"metadata":{"generateName":"t-"}}""");
        Assert.Equal(201, code);
        return body["metadata"]!["name"]!.GetValue<string>();
    }
}
