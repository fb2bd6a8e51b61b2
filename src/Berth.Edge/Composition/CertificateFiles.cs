using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Berth.Edge;

/// <summary>
/// A certificate with its chain and key in PEM files, read again when they change: whoever renews them needs no restart. Files that cannot
/// be used, such as a new certificate whose key is not there yet, leave the old one in place.
/// </summary>
internal sealed partial class CertificateFiles
{
    /// <summary>How often the files are looked at. The default of 10 seconds is quick beside renewals that come weeks early.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private (string Certificate, string Key) _read;
    private SslStreamCertificateContext _current;
    private DateTimeOffset _lookAt;

    /// <exception cref="EdgeConfigurationException">The files cannot be used.</exception>
    public CertificateFiles(string certificateFile, string keyFile, TimeProvider clock, ILogger logger)
    {
        (_certificateFile, _keyFile, _clock, _logger) = (certificateFile, keyFile, clock, logger);
        try
        {
            _read = Read();
            _current = Parse(_read);
        }
        catch (Exception error) when (IsOfTheFiles(error))
        {
            throw new EdgeConfigurationException([$"Berth:Edge:Listener:CertificateFile ('{certificateFile}') and KeyFile ('{keyFile}') "
                + $"cannot be used ({error.Message}); give PEM files with a certificate, its chain after it, and its private key."]);
        }

        _lookAt = clock.GetUtcNow() + LookEvery;
    }

    /// <summary>For the next handshake.</summary>
    public SslStreamCertificateContext Current()
    {
        lock (_gate)
        {
            var now = _clock.GetUtcNow();
            if (now < _lookAt)
            {
                return _current;
            }

            _lookAt = now + LookEvery;
            try
            {
                var read = Read();
                if (read != _read)
                {
                    _current = Parse(read);
                    _read = read;
                    LogChanged(_current.TargetCertificate.Subject, _current.TargetCertificate.NotAfter);
                }
            }
            catch (Exception error) when (IsOfTheFiles(error))
            {
                LogUnusable(_certificateFile, _keyFile, error.Message);
            }

            return _current;
        }
    }

    private static bool IsOfTheFiles(Exception error) =>
        error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    private static SslStreamCertificateContext Parse((string Certificate, string Key) pem)
    {
        var leaf = X509Certificate2.CreateFromPem(pem.Certificate, pem.Key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(pem.Certificate);
        return SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    private (string Certificate, string Key) Read() => (File.ReadAllText(_certificateFile), File.ReadAllText(_keyFile));

    [LoggerMessage(5601, LogLevel.Information, "The certificate was read again: {Subject}, good until {Until}.")]
    private partial void LogChanged(string subject, DateTime until);

    [LoggerMessage(5602, LogLevel.Warning, "The changed {Certificate} and {Key} cannot be used, the old ones stay in use: {Reason}")]
    private partial void LogUnusable(string certificate, string key, string reason);
}
