using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Client;

namespace Kube.Conformance.Support;

/// <summary>An answer as it came.</summary>
public sealed record Reply(int Code, string Text, JsonNode? Json, IReadOnlyList<string> Warnings)
{
    public JsonNode? this[string name] => Json?[name];

    public string? Reason => Json?["reason"]?.GetValue<string>();

    public string? Message => Json?["message"]?.GetValue<string>();

    public IReadOnlyList<(string Reason, string Field)> Causes =>
        [.. (Json?["details"]?["causes"]?.AsArray() ?? [])
            .Select(c => (c!["reason"]!.GetValue<string>(), c["field"]?.GetValue<string>() ?? ""))];

    public string Version => Json!["metadata"]!["resourceVersion"]!.GetValue<string>();

    public override string ToString() => $"{Code}: {Text}";
}

/// <summary>Requests with any header, and answers with all that came, independent of Kube.Client's own transport.</summary>
public sealed class RawHttp : IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly Uri _server;
    private readonly string? _token;

    public RawHttp(KubeConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (config.CertificateAuthorityPem is { } pem)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck
            };
            policy.CustomTrustStore.ImportFromPem(pem);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        if (config.Credentials is { ClientCertificatePem: { } certificate, ClientKeyPem: { } key })
        {
            handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPem(certificate, key)];
        }

        _invoker = new(handler);
        _server = config.Server;
        _token = config.Credentials.Token;
    }

    public async Task<Reply> SendAsync(string method, string path, string? body = null, string? contentType = null,
        string accept = "application/json", bool anonymous = false)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(_server, path)) { Version = HttpVersion.Version20 };
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.TryAddWithoutValidation("User-Agent", "conformance/1");
        if (_token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", anonymous ? "wrong" : _token);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType ?? "application/json");
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var response = await _invoker.SendAsync(request, limit.Token);
        var text = await response.Content.ReadAsStringAsync(limit.Token);
        response.Headers.TryGetValues("Warning", out var warnings);
        JsonNode? json = null;
        try
        {
            json = JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            // Plain text, such as /healthz.
        }

        return new((int)response.StatusCode, text, json, [.. warnings ?? []]);
    }

    public void Dispose() => _invoker.Dispose();
}
