using System.Net;
using System.Text;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.Vault;

/// <summary>Whatever is sent, the token manager answers with what its description has, in its own form, and never with 500.</summary>
public class ManagerContractTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private static readonly string[] Values =
    [
        "", "1", "true", "false", "-1", "99999999999999999999", "0198c0de-1111-7222-8333-444455556666", "calendar", "%00", "%F0%9F%98%80",
        "%ED%A0%80", "a%20b", "%27%3B--", "..%2F..%2F", "https%3A%2F%2Fevil.example%2F", "%0D%0AX: y", "{}",
    ];

    private static readonly string[] Bodies =
    [
        "", "{}", "[]", "null", "1", "\"x\"", "{", "{\"connection\":null}", "{\"connection\":\"calendar\",\"connection\":\"x\"}",
        "{\"refresh_token\":\"\"}", "{\"refresh_token\":\"\\u0000\"}", "{\"refresh_token\":\"\\ud800\"}", "{\"purpose\":\"\\u0000\"}",
        "{\"refresh_token\":{}}", "{\"unknown\":1}", "\u00ff",
    ];

    [SkippableFact]
    public async Task Calls_AnyInput_AnswerWithDocumentedStatusesInTheDocumentedForm()
    {
        await using var edge = await StartAsync(postgres);
        var browser = await edge.SignedInAsync("ann");
        var id = await StoredAsync(browser);
        using var api = edge.Api("ann");
        var random = new Random(3);
        var seen = new HashSet<(string, int)>();
        for (var i = 0; i < 400; i++)
        {
            var route = ManagerRoutes.All[i % ManagerRoutes.All.Count];
            var query = string.Join('&', route.Query.SelectMany(q => Enumerable.Range(0, random.Next(8) == 0 ? 2 : random.Next(2))
                .Select(_ => $"{q.Name}={(q.Required && random.Next(3) == 0 ? id : Values[random.Next(Values.Length)])}")));
            using var request = new HttpRequestMessage(new HttpMethod(route.Method), $"{route.Pattern}?{query}");
            if (route.Body is not null)
            {
                request.Content = new StringContent(Bodies[random.Next(Bodies.Length)], Encoding.UTF8,
                    random.Next(4) == 0 ? "text/plain" : "application/json");
            }

            using var answer = await api.SendAsync(request);
            var status = (int)answer.StatusCode;
            seen.Add((route.OperationId, status));
            Assert.True(route.Statuses.Concat([401, 403, 503]).Contains(status), $"{route.OperationId} {query}: {status}");
            var body = await JsonAsync(answer);
            if (status >= 400)
            {
                Assert.Equal(["code", "details", "error", "operation"], body.Select(p => p.Key).Order());
            }
        }

        Assert.True(seen.Count >= 10, string.Join(", ", seen));
        Assert.Contains(("getAccessToken", (int)HttpStatusCode.BadRequest), seen);
    }
}
