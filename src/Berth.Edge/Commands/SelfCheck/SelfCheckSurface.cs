using System.Text.Json;

namespace Berth.Edge;

/// <summary>What can be reached at all.</summary>
internal static class SelfCheckSurface
{
    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        new("management-not-public", "nothing of the management listener",
            "bind Management:Address to what only the cluster reaches, and route nothing to it", async p =>
        {
            foreach (var path in (string[])["/metrics", "/readyz", "/livez", "/healthz", "/debug/pprof/"])
            {
                var answer = await p.GetAsync(path);
                if (answer.Status is >= 200 and < 400)
                {
                    return SelfCheckVerdict.Of(false, $"{answer.Status} for {path}");
                }
            }

            return SelfCheckVerdict.Of(true, "404 or a refusal");
        }),
        new("forward-auth-not-public", "never a yes",
            "route /auth/forward to nobody from outside; name only the proxy's network in TrustedProxies", async p =>
        {
            foreach (var host in (string[])[p.Host, "berth-edge", "127.0.0.1"])
            {
                var came = await p.RawAsync($"GET /auth/forward/x HTTP/1.1\r\nHost: {host}\r\n{p.Marker}X-Forwarded-Method: GET\r\n"
                    + $"X-Forwarded-Proto: https\r\nX-Forwarded-Host: {p.Target.Workspace?.Authority ?? p.Host}\r\nX-Forwarded-Uri: /\r\n"
                    + "Connection: close\r\n\r\n");
                if (!came.IsRefused || came.Answers.Any(a => a["X-Workspace-Identity"].Length > 0))
                {
                    return SelfCheckVerdict.Of(false, $"{came.Came} with Host: {host}");
                }
            }

            return SelfCheckVerdict.Of(true, "refused");
        }),
        new("identity-keys", "a JWK set of public P-256 keys with different ids",
            "give the edge Identity:KeyFiles, and let nothing in front answer for it", async p =>
        {
            var answer = await p.GetAsync(WorkspaceIdentitySigner.JwksPath);
            var flaw = answer.Status == 200 ? Flaw(answer.Body) : "no 200";
            return SelfCheckVerdict.Of(flaw is null, flaw is null ? "200" : $"{answer.Status}: {flaw}");
        }),
    ];

    private static string? Flaw(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            JsonElement[] keys = [.. document.RootElement.GetProperty("keys").EnumerateArray()];
            return keys.Length == 0 ? "no keys"
                : keys.Any(k => k.TryGetProperty("d", out _)) ? "a private key"
                : keys.Any(k => k.GetProperty("kty").GetString() != "EC" || k.GetProperty("crv").GetString() != "P-256")
                    ? "another kind of key"
                : keys.Select(k => k.GetProperty("kid").GetString()).Distinct().Count() != keys.Length ? "ids that are the same" : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return "not a JWK set";
        }
    }
}
