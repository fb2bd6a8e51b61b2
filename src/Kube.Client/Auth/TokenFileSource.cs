using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace Kube.Client.Auth;

/// <summary>A bearer token in a file that somebody else rotates (the kubelet, for service accounts).</summary>
/// <remarks>
/// While the file cannot be read the last token stays in use: it is usually valid for a good while after its replacement was due.
/// </remarks>
internal sealed class TokenFileSource(string path, X509Certificate2? certificate, TimeProvider time) : CredentialSource, IDisposable
{
    // client-go's period; the kubelet replaces a token when 80 % of its life are over, so a minute is never too late.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Reading? _current;

    public override X509Certificate2? ClientCertificate => certificate;

    public override async ValueTask<AuthenticationHeaderValue?> GetAsync(CancellationToken cancellationToken)
    {
        if (_current is { } fresh && Fresh(fresh))
        {
            return fresh.Header;
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (_current is { } other && Fresh(other))
            {
                return other.Header;
            }

            _current = new(await ReadAsync(cancellationToken), time.GetTimestamp());
            return _current.Header;
        }
        finally
        {
            _reading.Release();
        }
    }

    public override bool Refused()
    {
        if (_current is { } refused)
        {
            _current = refused with { Stale = true };
        }

        return true;
    }

    public void Dispose() => _reading.Dispose();

    private bool Fresh(Reading reading) => !reading.Stale && time.GetElapsedTime(reading.At) < MaxAge;

    private async Task<AuthenticationHeaderValue> ReadAsync(CancellationToken cancellationToken)
    {
        string? token = null;
        Exception? cause = null;
        try
        {
            token = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            cause = e;
        }

        if (string.IsNullOrEmpty(token) || token.Any(c => c is <= ' ' or > '~'))
        {
            return _current?.Header
                ?? throw new KubeException(
                    $"The token file {path} cannot be used: {(cause is null ? "it holds no token" : "it cannot be read")}.",
                    cause
                );
        }

        return new("Bearer", token);
    }

    private sealed record Reading(AuthenticationHeaderValue Header, long At, bool Stale = false);
}
