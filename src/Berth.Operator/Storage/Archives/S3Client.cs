using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Berth.Operator.Archives;

/// <summary>An S3-compatible object store.</summary>
internal sealed record S3Settings
{
    public required Uri Endpoint { get; init; }

    public required string Bucket { get; init; }

    public required AwsCredentials Credentials { get; init; }

    /// <summary>A temporary session's token; null for lasting keys.</summary>
    public string? SessionToken { get; init; }

    /// <summary>Reads the variables that the operator gives to a Job.</summary>
    /// <exception cref="ArchiveException">Something is missing.</exception>
    internal static S3Settings Read(Func<string, string?> variable)
    {
        string Need(string name) => variable(name) is { Length: > 0 } value
            ? value.Trim()
            : throw new ArchiveException($"{name} is not set: the object store's endpoint, bucket and keys are needed.");

        return new S3Settings
        {
            Endpoint = Uri.TryCreate(Need("BERTH_S3_ENDPOINT"), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
                ? uri
                : throw new ArchiveException("BERTH_S3_ENDPOINT is no http or https URL."),
            Bucket = Need("BERTH_S3_BUCKET"),
            Credentials = new AwsCredentials(
                Need("AWS_ACCESS_KEY_ID"),
                Need("AWS_SECRET_ACCESS_KEY"),
                variable("BERTH_S3_REGION") is { Length: > 0 } region ? region.Trim() : "us-east-1",
                "s3"),
            SessionToken = variable("AWS_SESSION_TOKEN") is { Length: > 0 } token ? token.Trim() : null,
        };
    }
}

/// <summary>An object of a bucket.</summary>
internal sealed record S3Object(string Key, long Size, DateTimeOffset Modified);

/// <summary>The few requests to an object store that archives need. Keys are in the path, so that any server's name will do.</summary>
internal sealed class S3Client(S3Settings settings, HttpClient http, TimeProvider time)
{
    private const int Attempts = 5;
    private static readonly XNamespace Xml = "http://s3.amazonaws.com/doc/2006-03-01/";
    private static readonly string EmptyHash = AwsSignature.Hash("");

    // A request of a few megabytes that takes ten minutes will not get done.
    private static readonly TimeSpan RequestLimit = TimeSpan.FromMinutes(10);

    /// <summary>Opens an object; null when there is none.</summary>
    internal async Task<Stream?> GetAsync(string key, CancellationToken cancellationToken)
    {
        var response = await SendAsync(HttpMethod.Get, key, [], null, cancellationToken, HttpStatusCode.NotFound);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            response.Dispose();
            return null;
        }

        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    internal async Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Put, key, [], content, cancellationToken)).Dispose();

    internal async Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Delete, key, [], null, cancellationToken, HttpStatusCode.NotFound)).Dispose();

    /// <summary>All objects below a prefix.</summary>
    internal async Task<IReadOnlyList<S3Object>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var found = new List<S3Object>();
        string? next = null;
        do
        {
            Dictionary<string, string> query = new() { ["list-type"] = "2", ["prefix"] = prefix };
            if (next is not null)
            {
                query["continuation-token"] = next;
            }

            var page = await ReadXmlAsync(await SendAsync(HttpMethod.Get, null, query, null, cancellationToken), cancellationToken);
            found.AddRange(Elements(page, "Contents").Select(c => new S3Object(
                Text(c, "Key"),
                long.Parse(Text(c, "Size"), CultureInfo.InvariantCulture),
                DateTimeOffset.Parse(Text(c, "LastModified"), CultureInfo.InvariantCulture))));
            next = Text(page, "IsTruncated") == "true" && Text(page, "NextContinuationToken") is { Length: > 0 } token ? token : null;
        }
        while (next is not null);
        return found;
    }

    internal async Task<string> BeginUploadAsync(string key, CancellationToken cancellationToken)
    {
        var query = new Dictionary<string, string> { ["uploads"] = "" };
        var answer = await ReadXmlAsync(
            await SendAsync(HttpMethod.Post, key, query, ReadOnlyMemory<byte>.Empty, cancellationToken), cancellationToken);
        return Text(answer, "UploadId") is { Length: > 0 } id ? id : throw new ArchiveException("The object store gave an upload no id.");
    }

    /// <summary>Sends a part; returns its tag.</summary>
    internal async Task<string> UploadPartAsync(
        string key, string upload, int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Dictionary<string, string> query = new()
        {
            ["partNumber"] = number.ToString(CultureInfo.InvariantCulture),
            ["uploadId"] = upload,
        };
        using var response = await SendAsync(HttpMethod.Put, key, query, content, cancellationToken);
        return response.Headers.ETag?.ToString() ?? throw new ArchiveException("The object store gave a part no tag.");
    }

    internal async Task CompleteUploadAsync(string key, string upload, IReadOnlyList<string> tags, CancellationToken cancellationToken)
    {
        var parts = new XElement("CompleteMultipartUpload", tags.Select((tag, i) =>
            new XElement("Part", new XElement("PartNumber", i + 1), new XElement("ETag", tag))));
        var body = Encoding.UTF8.GetBytes(parts.ToString(SaveOptions.DisableFormatting));
        var answer = await ReadXmlAsync(
            await SendAsync(HttpMethod.Post, key, new() { ["uploadId"] = upload }, body, cancellationToken), cancellationToken);
        if (answer.Name.LocalName == "Error")
        {
            // It may fail after it has answered 200, since it can take long.
            throw new ArchiveException($"The object store could not put the parts together: {Text(answer, "Message")}");
        }
    }

    internal async Task AbortUploadAsync(string key, string upload, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Delete, key, new() { ["uploadId"] = upload }, null, cancellationToken,
            HttpStatusCode.NotFound)).Dispose();

    /// <summary>Uploads that nobody completed: (key, id).</summary>
    internal async Task<IReadOnlyList<(string Key, string Upload)>> ListUploadsAsync(string prefix, CancellationToken cancellationToken)
    {
        var query = new Dictionary<string, string> { ["uploads"] = "", ["prefix"] = prefix };
        using var response = await SendAsync(
            HttpMethod.Get, null, query, null, cancellationToken, HttpStatusCode.NotImplemented, HttpStatusCode.Forbidden);
        return response.IsSuccessStatusCode
            ? [.. Elements(await ReadXmlAsync(response, cancellationToken), "Upload").Select(u => (Text(u, "Key"), Text(u, "UploadId")))]
            : [];
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string? key,
        Dictionary<string, string> query,
        ReadOnlyMemory<byte>? body,
        CancellationToken cancellationToken,
        params HttpStatusCode[] alsoFine)
    {
        for (var attempt = 1; ; attempt++)
        {
            string problem;
            try
            {
                using var patience = new CancellationTokenSource(RequestLimit, time);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
                using var request = Request(method, key, query, body);
                var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
                if (response.IsSuccessStatusCode || alsoFine.Contains(response.StatusCode))
                {
                    return response;
                }

                problem = await ProblemAsync(response, limit.Token);
                var passing = (int)response.StatusCode is 429 or >= 500;
                response.Dispose();
                if (!passing || attempt == Attempts)
                {
                    throw new ArchiveException(problem);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException
                && !cancellationToken.IsCancellationRequested)
            {
                if (attempt == Attempts)
                {
                    throw new ArchiveException($"The object store at {settings.Endpoint} does not answer: {e.Message}", e);
                }
            }

            await Task.Delay(TimeSpan.FromSeconds(1 << (attempt - 1)), time, cancellationToken);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string? key, Dictionary<string, string> query, ReadOnlyMemory<byte>? body)
    {
        var path = settings.Endpoint.AbsolutePath.TrimEnd('/') + "/" + AwsSignature.Encode(settings.Bucket, slash: true)
            + (key is null ? "" : "/" + AwsSignature.Encode(key, slash: false));
        var hash = body is { Length: > 0 } content ? Convert.ToHexStringLower(SHA256.HashData(content.Span)) : EmptyHash;
        var now = time.GetUtcNow();
        List<KeyValuePair<string, string>> headers =
        [
            new("host", settings.Endpoint.Authority),
            new("x-amz-content-sha256", hash),
            new("x-amz-date", now.UtcDateTime.ToString(AwsSignature.TimeFormat, CultureInfo.InvariantCulture)),
        ];
        if (settings.SessionToken is { } token)
        {
            headers.Add(new("x-amz-security-token", token));
        }

        var text = AwsSignature.Query(query);
        var uri = settings.Endpoint.GetLeftPart(UriPartial.Authority) + path + (text.Length == 0 ? "" : "?" + text);
        var request = new HttpRequestMessage(method, new Uri(uri,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation(
            "Authorization", AwsSignature.Authorize(settings.Credentials, method.Method, path, query, headers, hash, now));
        if (body is { } bytes)
        {
            request.Content = new ReadOnlyMemoryContent(bytes);
        }

        return request;
    }

    private async Task<string> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var words = "";
        try
        {
            var error = await ReadXmlAsync(response, cancellationToken);
            words = $" {Text(error, "Code")}: {Text(error, "Message")}";
        }
        catch (ArchiveException)
        {
            // A proxy's page, or nothing.
        }

        return $"The object store at {settings.Endpoint} answers {(int)response.StatusCode}{words}. Look at bucket '{settings.Bucket}', "
            + "region and keys.";
    }

    private static async Task<XElement> ReadXmlAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using (response)
        {
            var reading = new XmlReaderSettings
            {
                Async = true,
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                MaxCharactersInDocument = 16 << 20,
            };
            try
            {
                await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
                using var reader = XmlReader.Create(stream, reading);
                return (await XDocument.LoadAsync(reader, LoadOptions.None, cancellationToken)).Root!;
            }
            catch (XmlException e)
            {
                throw new ArchiveException($"The object store's answer is no XML: {e.Message}", e);
            }
        }
    }

    // Some servers answer without the namespace.
    private static IEnumerable<XElement> Elements(XElement parent, string name) =>
        parent.Elements().Where(e => e.Name == Xml + name || e.Name == name);

    private static string Text(XElement parent, string name) => Elements(parent, name).FirstOrDefault()?.Value ?? "";
}
