using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Berth.Edge.Tests.ApiProxy;

namespace Berth.Edge.Tests.Conformance;

/// <summary>
/// Every operation of the OpenAPI document is called with requests made from its own description, right ones and wrong ones: never a 500,
/// and only answers (status and media type) that it names.
/// </summary>
public class ApiConformanceTests
{
    // Said before there is a route to describe: the target cannot be read, or is too long for the server.
    private static readonly int[] BeforeRouting = [400, 404, 405, 414, 431];
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    [Fact]
    public async Task EveryOperation_AnyRequest_AnswersAsDescribed()
    {
        // Thousands of requests within seconds: how many a minute may hold is not what is asked here.
        await using var proxy = await StartAsync(Unlimited);
        using var client = proxy.As("user1");
        var (document, known) = await PrepareAsync(proxy, client);
        var (failures, count) = (new List<string>(), 0);
        foreach (var (path, method, operation) in Operations(document))
        {
            foreach (var request in new GeneratedRequests(document, path, operation, known).All())
            {
                count++;
                using var answer = await SendAsync(client, method, request);
                if (Complaint(operation, method, request, answer) is { } complaint)
                {
                    failures.Add($"{method} {path} ({request.What}): {complaint}");
                }
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {count}:\n{string.Join('\n', failures.Take(60))}");
        Assert.True(count > 1000, $"{count} requests are too few: nothing was generated.");
    }

    [Fact]
    public async Task EveryOperation_PersonsLimitReached_AnswersAsDescribed()
    {
        await using var proxy = await StartAsync(new EdgeLimitOptions { Person = new() { Requests = 1, Window = TimeSpan.FromHours(1) } });
        using var client = proxy.As("user1");
        var (document, known) = await PrepareAsync(proxy, client);
        var refused = 0;

        // Calls of other APIs have limits of their own.
        foreach (var (path, method, operation) in Operations(document).Where(o => !o.Path.StartsWith("/proxy/", StringComparison.Ordinal)))
        {
            var request = new GeneratedRequest("limit", new GeneratedRequests(document, path, operation, known).Target(new Dictionary<string, string>()));
            using var answer = await SendAsync(client, method, request);
            Assert.Null(Complaint(operation, method, request, answer));
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
            refused++;
        }

        Assert.True(refused > 30, $"{refused} operations are too few.");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer garbage")]
    [InlineData("Bearer a.b.c")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.e30.")]
    public async Task EveryOperation_WithoutIdentity_Answers401OrIsOpen(string? authorization)
    {
        await using var proxy = await StartAsync();
        using var someone = proxy.As("user1");
        var (document, known) = await PrepareAsync(proxy, someone);
        using var client = proxy.Anonymous();
        if (authorization is not null)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        }

        foreach (var (path, method, operation) in Operations(document))
        {
            var target = new GeneratedRequests(document, path, operation, known).Target(new Dictionary<string, string>());
            using var answer = await SendAsync(client, method, new GeneratedRequest("stranger", target));
            var status = (int)answer.StatusCode;

            // A change without any identity is first of all one whose origin is not known; what is open to all says so by an empty security.
            var allowed = status == 401 || (status == 403 && authorization is null && method is not ("GET" or "HEAD"))
                || operation["security"] is JsonArray { Count: 0 };
            Assert.True(allowed, $"{method} {path} with '{authorization}': {status}");
            Assert.True(status < 500, $"{method} {path}: {status}");
        }
    }

    [Fact]
    public async Task EveryPath_MethodThatIsNotDescribed_IsNotServed()
    {
        await using var proxy = await StartAsync();
        using var client = proxy.As("user1");
        var (document, known) = await PrepareAsync(proxy, client);
        foreach (var path in document["paths"]!.AsObject())
        {
            var described = path.Value!.AsObject().Select(o => o.Key.ToUpperInvariant()).ToHashSet();
            var target = new GeneratedRequests(document, path.Key, path.Value.AsObject().First().Value!.AsObject(), known)
                .Target(new Dictionary<string, string>());

            // HEAD goes wherever GET does.
            foreach (var method in Methods.Append("OPTIONS").Append("TRACE").Append("PROPFIND")
                .Where(m => !described.Contains(m) && !(m == "HEAD" && described.Contains("GET"))))
            {
                using var answer = await SendAsync(client, method, new GeneratedRequest("method", target));
                Assert.True((int)answer.StatusCode is 404 or 405, $"{method} {path.Key}: {(int)answer.StatusCode}");
            }
        }
    }

    private static EdgeLimitOptions Unlimited => new()
    {
        Address = new(),
        SignIn = new(),
        Person = new(),
    };

    private static Task<ProxyFixture> StartAsync(EdgeLimitOptions? limits = null) => ProxyFixture.StartAsync(
        o => o with
        {
            AllowedMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            RateLimit = new() { Requests = 100_000, Concurrent = 1000 },
            MaximumBody = 500_000,
        },
        limits: limits);

    private static async Task<(JsonObject Document, Dictionary<string, string> Known)> PrepareAsync(ProxyFixture proxy, HttpClient client)
    {
        using var made = await client.PostAsync("/api/workspaces", null);
        made.EnsureSuccessStatusCode();
        var document = JsonNode.Parse(await proxy.Anonymous().GetStringAsync("/openapi/v1.json"))!.AsObject();
        return (document, new Dictionary<string, string>
        {
            ["name"] = proxy.Edge.NameOf("user1"),
            ["hold"] = "build-1",
            ["connection"] = "api",
            ["path"] = "items/1",
        });
    }

    private static IEnumerable<(string Path, string Method, JsonObject Operation)> Operations(JsonObject document) =>
        from path in document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where Methods.Contains(operation.Key.ToUpperInvariant())
        select (path.Key, operation.Key.ToUpperInvariant(), operation.Value!.AsObject());

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string method, GeneratedRequest request)
    {
        var uri = new Uri(
            ProductFixture.Origin + request.Target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var message = new HttpRequestMessage(new HttpMethod(method), uri);
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (request.Header is { } header)
        {
            message.Headers.TryAddWithoutValidation(header.Name, header.Value);
        }

        if (request.Body is { } body && method is not ("GET" or "HEAD"))
        {
            message.Content = new ByteArrayContent(body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
        }

        // Headers are enough: event streams have no end.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token);
    }

    private static string? Complaint(JsonObject operation, string method, GeneratedRequest request, HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        var responses = operation["responses"]!.AsObject();
        if (answer.Headers.TryGetValues("Berth-Answer", out _) && responses.ContainsKey("default"))
        {
            return null;
        }

        if (status == 500 || status == 501)
        {
            return $"status {status}";
        }

        if (request.IsHostileTarget && BeforeRouting.Contains(status))
        {
            return null;
        }

        if (responses[$"{status}"] is not JsonObject response)
        {
            return $"status {status} is not described";
        }

        var type = answer.Content.Headers.ContentType?.MediaType;
        var described = response["content"]?.AsObject().Select(c => c.Key).ToArray() ?? [];
        var isEmpty = method == "HEAD" || status is 204 or 304 || answer.Content.Headers.ContentLength == 0;
        return isEmpty || described.Contains(type) ? null : $"status {status} has media type '{type}', described are '{string.Join("', '", described)}'";
    }
}
