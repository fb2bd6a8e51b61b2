using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Kube.Client.Json;

namespace Kube.Client.Auth;

/// <summary>Credentials from a program (client.authentication.k8s.io), kept until they expire or are refused.</summary>
internal sealed class ExecCredentialSource(ExecPlugin plugin, KubeConfig config, TimeProvider time) : CredentialSource, IDisposable
{
    // A plugin may talk to a slow identity provider, but a request must not hang for ever on one that waits for a person.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    // Not one that expires while the request is on its way.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(10);
    private const int MaxOutput = 1 << 20;
    private const int MaxErrorText = 1000;

    private readonly SemaphoreSlim _running = new(1, 1);
    private volatile Credential? _current;

    public override X509Certificate2? ClientCertificate => _current?.Certificate;

    public override async ValueTask<AuthenticationHeaderValue?> GetAsync(CancellationToken cancellationToken)
    {
        if (_current is { } fresh && Fresh(fresh))
        {
            return fresh.Header;
        }

        await _running.WaitAsync(cancellationToken);
        try
        {
            if (_current is { } other && Fresh(other))
            {
                return other.Header;
            }

            _current = Parse(await RunAsync(cancellationToken));
            return _current.Header;
        }
        finally
        {
            _running.Release();
        }
    }

    public override bool Refused()
    {
        _current = null;
        return true;
    }

    public void Dispose() => _running.Dispose();

    private bool Fresh(Credential credential) => credential.Expires is not { } expires || time.GetUtcNow() < expires - Early;

    private async Task<byte[]> RunAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(plugin.Command, plugin.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in plugin.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["KUBERNETES_EXEC_INFO"] = JsonSerializer.Serialize(Info(), WireJson.Default.ExecCredential);
        using var limit = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var process = Start(start);
        try
        {
            process.StandardInput.Close();
            var output = ReadAsync(process.StandardOutput.BaseStream, both.Token);
            var error = ReadAsync(process.StandardError.BaseStream, both.Token);
            await Task.WhenAll(output, error);
            await process.WaitForExitAsync(both.Token);
            return process.ExitCode == 0
                ? await output
                : throw Failed($"ended with exit code {process.ExitCode}{Said(await error)}", null);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Failed($"gave no answer within {Timeout.TotalSeconds:0} s; run it by hand to see what it waits for", e);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw Failed("could not be started", null);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            var hint = plugin.InstallHint is { } text ? $" {text.Trim()}" : "";
            throw Failed($"could not be started; is it installed and in PATH?{hint}", e);
        }
    }

    private async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[4096];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (memory.Length + count > MaxOutput)
            {
                throw Failed("wrote more than 1 MiB", null);
            }

            memory.Write(buffer, 0, count);
        }

        return memory.ToArray();
    }

    private Credential Parse(byte[] output)
    {
        ExecCredential? answer;
        try
        {
            answer = JsonSerializer.Deserialize(output, WireJson.Default.ExecCredential);
        }
        catch (JsonException)
        {
            // The text itself may hold a token.
            throw Failed("did not write an ExecCredential as JSON", null);
        }

        if (answer?.Kind != "ExecCredential" || answer.ApiVersion != plugin.ApiVersion)
        {
            throw Failed($"must write an ExecCredential of {plugin.ApiVersion}; it wrote {answer?.ApiVersion ?? "no apiVersion"}", null);
        }

        var status = answer.Status;
        if (status is null || (status.Token is null && status.ClientCertificateData is null))
        {
            throw Failed("gave neither a token nor a client certificate", null);
        }

        if (status.ClientCertificateData is null != status.ClientKeyData is null)
        {
            throw Failed("gave only one of clientCertificateData and clientKeyData", null);
        }

        if (status.Token is { } token && token.Any(c => c is <= ' ' or > '~'))
        {
            throw Failed("gave a token with characters that no token has", null);
        }

        X509Certificate2? certificate = null;
        if (status is { ClientCertificateData: { } pem, ClientKeyData: { } key })
        {
            try
            {
                certificate = ClientCertificates.Load(pem, key);
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                throw Failed("gave a client certificate and key that cannot be used", null);
            }
        }

        var header = status.Token is { Length: > 0 } value ? new AuthenticationHeaderValue("Bearer", value) : null;
        return new(header, certificate, status.ExpirationTimestamp ?? certificate?.NotAfter.ToUniversalTime());
    }

    private ExecCredential Info() => new()
    {
        ApiVersion = plugin.ApiVersion,
        Kind = "ExecCredential",
        Spec = new(plugin.ProvideClusterInfo ? Cluster() : null, Interactive: false),
    };

    private ExecCluster Cluster() => new()
    {
        Server = config.Server.ToString().TrimEnd('/'),
        TlsServerName = config.TlsServerName,
        InsecureSkipTlsVerify = config.InsecureSkipTlsVerify ? true : null,
        CertificateAuthorityData = config.CertificateAuthorityPem is { } ca ? Convert.ToBase64String(Encoding.UTF8.GetBytes(ca)) : null,
        ProxyUrl = config.ProxyUrl?.ToString(),
    };

    private KubeException Failed(string what, Exception? cause) => new($"The credential plugin {plugin.Command} {what}.", cause);

    private static string Said(byte[] error)
    {
        var text = Encoding.UTF8.GetString(error).Trim();
        return text.Length == 0 ? "" : $": {(text.Length > MaxErrorText ? text[..MaxErrorText] : text)}";
    }

    private sealed record Credential(AuthenticationHeaderValue? Header, X509Certificate2? Certificate, DateTimeOffset? Expires);
}
