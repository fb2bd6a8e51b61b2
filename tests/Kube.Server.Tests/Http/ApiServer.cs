using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Http;

/// <summary>A real server on a free port with its own folder, and a client that trusts only its CA.</summary>
public sealed class ApiServer : IAsyncDisposable
{
    private readonly string _folder;

    /// <summary>The server's data folder.</summary>
    public string Folder => _folder;

    private ApiServer(string folder, KubeServer server)
    {
        _folder = folder;
        Server = server;
        var pki = Path.Combine(folder, "pki");
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(Path.Combine(pki, "ca.crt")));
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy }
        };
        Client = new HttpClient(handler) { BaseAddress = Server.BaseUri, Timeout = TimeSpan.FromSeconds(60) };
        var token = File.ReadAllText(Path.Combine(pki, "admin.token"));
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public KubeServer Server { get; }

    public HttpClient Client { get; }

    public static async Task<ApiServer> StartAsync(Func<KubeServerOptions, KubeServerOptions>? configure = null, TimeProvider? time = null)
    {
        var folder = Directory.CreateTempSubdirectory("kube-server-").FullName;
        var options = new KubeServerOptions { DataDirectory = folder };
        try
        {
            options = configure?.Invoke(options) ?? options;
            return new ApiServer(folder, await KubeServer.StartAsync(options, NullLoggerFactory.Instance, time ?? TimeProvider.System));
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Any request, with any headers; the answer as it came.</summary>
    public async Task<HttpResponseMessage> RawAsync(string method, string path, string? body = null, string type = "application/json",
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<(int Code, JsonObject Body)> SendAsync(
        string method, string path, string? body = null, string type = "application/json", string accept = "application/json")
    {
        using var response = await RawAsync(method, path, body, type, ("Accept", accept));
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.StartsWith('{') ? (JsonObject)JsonNode.Parse(text)! : new JsonObject { ["text"] = text });
    }

    public async Task<string> NamespaceAsync()
    {
        var (code, body) = await SendAsync("POST", "/api/v1/namespaces", """{"metadata":{"generateName":"t-"}}""");
        Assert.Equal(201, code);
        return body["metadata"]!["name"]!.GetValue<string>();
    }

    /// <summary>Creates a config map and gives its version back.</summary>
    public async Task<string> MapAsync(string ns, string name, string data = "{}")
    {
        var (code, body) = await SendAsync("POST", $"/api/v1/namespaces/{ns}/configmaps", $$$"""
            {"metadata":{"name":"{{{name}}}"},"data":{{{data}}}}
            """);
        Assert.Equal(201, code);
        return body["metadata"]!["resourceVersion"]!.ToString();
    }

    public async Task<WatchReader> WatchAsync(string path, string accept = "application/json")
    {
        var response = await RawAsync("GET", path, null, "", ("Accept", accept));
        Assert.Equal(200, (int)response.StatusCode);
        return new WatchReader(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }
}

/// <summary>Reads a watch line by line.</summary>
public sealed class WatchReader(HttpResponseMessage response, StreamReader lines) : IDisposable
{
    /// <summary>The next event, or null at the end of the stream.</summary>
    public async Task<JsonNode?> NextAsync() =>
        await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } line ? JsonNode.Parse(line) : null;

    public void Dispose()
    {
        lines.Dispose();
        response.Dispose();
    }
}
