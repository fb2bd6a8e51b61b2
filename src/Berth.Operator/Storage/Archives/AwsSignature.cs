using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Operator.Archives;

/// <summary>Who signs, and for what.</summary>
/// <param name="AccessKey">Access key id.</param>
/// <param name="SecretKey">Secret access key.</param>
/// <param name="Region">Region, such as us-east-1.</param>
/// <param name="Service">Service, such as s3.</param>
internal sealed record AwsCredentials(string AccessKey, string SecretKey, string Region, string Service);

/// <summary>AWS Signature Version 4 in the Authorization header. Pure: the same request at the same time has the same signature.</summary>
internal static class AwsSignature
{
    internal const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The value of the Authorization header.</summary>
    /// <param name="credentials">Who signs.</param>
    /// <param name="method">GET, PUT …</param>
    /// <param name="path">Path as it is sent, each segment encoded by <see cref="Encode"/>.</param>
    /// <param name="query">Parameters, not encoded.</param>
    /// <param name="headers">Headers to sign, among them host and x-amz-date.</param>
    /// <param name="payloadHash">SHA-256 of the body in lower-case hexadecimal.</param>
    /// <param name="time">The time in x-amz-date.</param>
    internal static string Authorize(
        AwsCredentials credentials,
        string method,
        string path,
        IEnumerable<KeyValuePair<string, string>> query,
        IEnumerable<KeyValuePair<string, string>> headers,
        string payloadHash,
        DateTimeOffset time)
    {
        var sorted = headers.Select(h => (Name: h.Key.ToLowerInvariant(), Value: Collapse(h.Value)))
            .OrderBy(h => h.Name, StringComparer.Ordinal).ToList();
        var signed = string.Join(';', sorted.Select(h => h.Name));
        var canonical = string.Join('\n', method, path, Query(query), string.Concat(sorted.Select(h => $"{h.Name}:{h.Value}\n")), signed,
            payloadHash);
        var date = time.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var scope = $"{date}/{credentials.Region}/{credentials.Service}/aws4_request";
        var toSign = string.Join('\n', Algorithm, time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture), scope,
            Hash(canonical));
        var key = Encoding.UTF8.GetBytes("AWS4" + credentials.SecretKey);
        foreach (var part in (string[])[date, credentials.Region, credentials.Service, "aws4_request"])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }

        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
        return $"{Algorithm} Credential={credentials.AccessKey}/{scope},SignedHeaders={signed},Signature={signature}";
    }

    /// <summary>The query as it is sent and signed: encoded, sorted by name and then value.</summary>
    internal static string Query(IEnumerable<KeyValuePair<string, string>> query) => string.Join('&', query
        .Select(p => (Name: Encode(p.Key, slash: true), Value: Encode(p.Value, slash: true)))
        .OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal)
        .Select(p => $"{p.Name}={p.Value}"));

    /// <summary>Per cent encoding of all but letters, digits and -._~; the slashes of a path stay.</summary>
    internal static string Encode(string text, bool slash)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~' || (c == '/' && !slash))
            {
                encoded.Append(c);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return encoded.ToString();
    }

    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Collapse(string value) =>
        string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
