using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Xml.Linq;
using Berth.Operator.Archives;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// As much of S3 as archives use, in memory, and strict: it computes each signature itself and compares it, and checks each body's hash.
/// </summary>
internal sealed class TinyS3 : IAsyncDisposable
{
    private const string Bucket = "backups";
    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly ConcurrentDictionary<string, SortedDictionary<int, byte[]>> _uploads = [];
    private int _next;
    private int _failures;

    internal TinyS3()
    {
        Endpoint = new Uri($"http://127.0.0.1:{LoopbackPort.Free()}");
        _listener.Prefixes.Add(Endpoint + "");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    internal Uri Endpoint { get; }

    internal ConcurrentDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    internal int Uploads => _uploads.Count;

    internal ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Each twelfth request fails with 503.</summary>
    internal bool Flaky { get; set; }

    internal int Largest { get; private set; }

    internal Dictionary<string, string> Variables => new()
    {
        ["BERTH_S3_ENDPOINT"] = Endpoint.ToString().TrimEnd('/'),
        ["BERTH_S3_BUCKET"] = Bucket,
        ["AWS_ACCESS_KEY_ID"] = "key",
        ["AWS_SECRET_ACCESS_KEY"] = "secret",
    };

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            await AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var request = context.Request;
        using var body = new MemoryStream();
        await request.InputStream.CopyToAsync(body);
        var content = body.ToArray();
        Largest = Math.Max(Largest, content.Length);
        var path = request.RawUrl!.Split('?')[0];
        var query = request.RawUrl.Contains('?', StringComparison.Ordinal) ? request.RawUrl[(request.RawUrl.IndexOf('?',
            StringComparison.Ordinal) + 1)..] : "";
        Requests.Enqueue($"{request.HttpMethod} {request.RawUrl}");
        var (code, answer, etag) = Flaky && Interlocked.Increment(ref _failures) % 12 == 1
            ? (503, Error("SlowDown", "Reduce your request rate."), null)
            : Check(request, path, query, content) is { } problem
                ? (403, Error("SignatureDoesNotMatch", problem), null)
                : Do(request.HttpMethod, WebUtility.UrlDecode(path["/backups".Length..].TrimStart('/')), query, content);
        context.Response.StatusCode = code;
        if (etag is not null)
        {
            context.Response.Headers["ETag"] = etag;
        }

        context.Response.ContentLength64 = answer.Length;
        await context.Response.OutputStream.WriteAsync(answer);
        context.Response.Close();
    }

    private static string? Check(HttpListenerRequest request, string path, string query, byte[] content)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        if (request.Headers["x-amz-content-sha256"] != hash)
        {
            return "body";
        }

        var authorization = request.Headers["Authorization"] ?? "";
        var names = authorization.Split("SignedHeaders=")[1].Split(',')[0].Split(';');
        var time = DateTimeOffset.ParseExact(request.Headers["x-amz-date"]!, AwsSignature.TimeFormat, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal);
        var expected = AwsSignature.Authorize(
            new AwsCredentials("key", "secret", "us-east-1", "s3"), request.HttpMethod, path, Pairs(query),
            names.Select(n => new KeyValuePair<string, string>(n, request.Headers[n]!)), hash, time);
        return authorization == expected ? null : "signature";
    }

    private (int Code, byte[] Answer, string? Etag) Do(string method, string key, string query, byte[] content)
    {
        var parameters = Pairs(query).ToDictionary();
        switch (method)
        {
            case "POST" when parameters.ContainsKey("uploads"):
                var id = $"{key}|{Interlocked.Increment(ref _next)}";
                _uploads[id] = [];
                return (200, Text(new XElement("InitiateMultipartUploadResult", new XElement("UploadId", id))), null);
            case "PUT" when parameters.TryGetValue("uploadId", out var upload):
                _uploads[upload][int.Parse(parameters["partNumber"], CultureInfo.InvariantCulture)] = content;
                return (200, [], Etag(content));
            case "POST" when parameters.TryGetValue("uploadId", out var complete):
                var tags = XElement.Parse(System.Text.Encoding.UTF8.GetString(content)).Elements("Part").Select(p =>
                    p.Element("ETag")!.Value);
                if (!tags.SequenceEqual(_uploads[complete].Values.Select(Etag)))
                {
                    return (400, Error("InvalidPart", "a part is not what it was"), null);
                }

                Objects[key] = [.. _uploads[complete].Values.SelectMany(p => p)];
                _uploads.TryRemove(complete, out _);
                return (200, Text(new XElement("CompleteMultipartUploadResult", new XElement("Key", key))), null);
            case "DELETE" when parameters.TryGetValue("uploadId", out var abort):
                return (_uploads.TryRemove(abort, out _) ? 204 : 404, [], null);
            case "GET" when parameters.ContainsKey("uploads"):
                return (200, Text(new XElement("ListMultipartUploadsResult", _uploads.Keys
                    .Where(u => u.StartsWith(parameters["prefix"], StringComparison.Ordinal))
                    .Select(u => new XElement("Upload", new XElement("Key", u.Split('|')[0]), new XElement("UploadId", u))))), null);
            case "GET" when parameters.ContainsKey("list-type"):
                return (200, List(parameters), null);
            case "PUT":
                Objects[key] = content;
                return (200, [], Etag(content));
            case "GET":
                return Objects.TryGetValue(key, out var found) ? (200, found, null) : (404, Error("NoSuchKey", key), null);
            case "DELETE":
                Objects.TryRemove(key, out _);
                return (204, [], null);
            default:
                return (405, [], null);
        }
    }

    // Two at a time, so that there are pages.
    private byte[] List(Dictionary<string, string> parameters)
    {
        XNamespace ns = "http://s3.amazonaws.com/doc/2006-03-01/";
        var after = parameters.GetValueOrDefault("continuation-token") ?? "";
        var keys = Objects.Keys.Where(k => k.StartsWith(parameters["prefix"], StringComparison.Ordinal)
            && string.CompareOrdinal(k, after) > 0).Order(StringComparer.Ordinal).ToList();
        return Text(new XElement(ns + "ListBucketResult",
            new XElement(ns + "IsTruncated", keys.Count > 2 ? "true" : "false"),
            keys.Count > 2 ? new XElement(ns + "NextContinuationToken", keys[1]) : null,
            keys.Take(2).Select(k => new XElement(ns + "Contents", new XElement(ns + "Key", k), new XElement(ns + "Size",
                Objects[k].Length),
                new XElement(ns + "LastModified", "2026-01-01T00:00:00.000Z")))));
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string query) =>
        query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=')).Select(p =>
            new KeyValuePair<string, string>(Uri.UnescapeDataString(p[0]), Uri.UnescapeDataString(p.ElementAtOrDefault(1) ?? "")));

    private static string Etag(byte[] content) => $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..32]}\"";

    private static byte[] Error(string code, string message) =>
        Text(new XElement("Error", new XElement("Code", code), new XElement("Message", message)));

    private static byte[] Text(XElement element) => System.Text.Encoding.UTF8.GetBytes(element.ToString());
}
