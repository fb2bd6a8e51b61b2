using System.Text.Json;
using System.Text.Json.Nodes;

namespace Berth.Operator.Preflight;

/// <summary>What lies outside of the cluster: names and OpenID Providers.</summary>
internal static class WorldChecks
{
    // What the edge verifies by default (docs/edge.md, Issuers:N:Algorithms).
    private static readonly string[] Algorithms = ["RS256", "PS256", "ES256", "ES384"];

    public static async Task<PreflightResult> NamesAsync(PreflightContext context)
    {
        var plan = context.Plan;

        // Nobody made an entry of this name, so that only a wildcard can answer.
        var workspace = plan.PathPrefix ? plan.WorkspaceDomain : $"ws-preflight-{Guid.NewGuid():N}"[..24] + "." + plan.WorkspaceDomain;
        var problems = new List<string>();
        var came = new List<string>();
        foreach (var (host, what) in new[] { (plan.PublicOrigin.Host, "publicOrigin"), (workspace, "workspaceDomain") })
        {
            var addresses = IsLoopback(host) ? ["127.0.0.1"] : await context.Network.ResolveAsync(host, context.CancellationToken);
            if (addresses.Count == 0)
            {
                problems.Add(what == "publicOrigin" ? $"{host} (publicOrigin) has no address"
                    : plan.PathPrefix ? $"{host} (workspaceDomain) has no address"
                    : $"no name below {plan.WorkspaceDomain} (workspaceDomain) has an address: {host} has none");
            }

            came.Add($"{(host == workspace && !plan.PathPrefix ? "*." + plan.WorkspaceDomain : host)} is {string.Join(", ", addresses)}");
        }

        return problems.Count > 0
            ? PreflightResult.Fail("dns", string.Join("; ", problems),
                "an A or CNAME record for the one and a wildcard record for the other, to Traefik's address (docs/dns-and-tls.md)")
            : PreflightResult.Pass("dns", string.Join("; ", came));
    }

    public static async Task<IReadOnlyList<PreflightResult>> IssuersAsync(PreflightContext context)
    {
        var results = new List<PreflightResult>();
        foreach (var issuer in context.Plan.Issuers)
        {
            results.AddRange(await IssuerAsync(context, issuer));
        }

        return results;
    }

    private static async Task<IReadOnlyList<PreflightResult>> IssuerAsync(PreflightContext context, Uri issuer)
    {
        var name = $"issuer {issuer.OriginalString}";
        var address = new Uri(issuer.OriginalString.TrimEnd('/') + "/.well-known/openid-configuration");
        try
        {
            var before = context.Clock.GetUtcNow();
            var answer = await context.Network.GetAsync(address, ofCluster: false, context.CancellationToken);
            var clock = ClusterChecks.Difference($"{name}: clock", "the provider's clock", answer.Date, before, context.Clock.GetUtcNow());
            if (answer.Status != 200)
            {
                return [PreflightResult.Fail(name, $"{address} answers {answer.Status}",
                    "correct the issuer: exactly as the provider states it, with or without a slash at the end")];
            }

            var problem = await ProblemAsync(context, issuer.OriginalString, JsonNode.Parse(answer.Body));
            return problem is null
                ? [PreflightResult.Pass(name, "its discovery document and keys are as they should be"), clock]
                : [PreflightResult.Fail(name, problem.Value.Came, problem.Value.Remedy), clock];
        }
        catch (JsonException)
        {
            return [PreflightResult.Fail(name, $"{address} or its key set is not JSON",
                "look at what answers there: a proxy, or a page of sign-in?")];
        }
        catch (Exception e)
            when (e is HttpRequestException || (e is OperationCanceledException && !context.CancellationToken.IsCancellationRequested))
        {
            return [PreflightResult.Fail(name, $"{address} does not answer: {e.Message}",
                "the edge's pods must reach the provider; this machine does not. Where only they can, this can be passed over")];
        }
    }

    private static async Task<(string Came, string Remedy)?> ProblemAsync(PreflightContext context, string issuer, JsonNode? document)
    {
        if (document.Text("issuer") != issuer)
        {
            return ($"it calls itself {document.Text("issuer") ?? "nothing"}",
                "write the issuer exactly so in the values: tokens are compared with it letter by letter");
        }

        foreach (var endpoint in new[] { "authorization_endpoint", "token_endpoint", "jwks_uri" })
        {
            if (!Uri.TryCreate(document.Text(endpoint), UriKind.Absolute, out var uri) || (uri.Scheme != "https" && !IsLoopback(uri.Host)))
            {
                return ($"its {endpoint} is {document.Text(endpoint) ?? "missing"}", "a provider whose endpoints are https");
            }
        }

        var signed = (document.At("id_token_signing_alg_values_supported") as JsonArray ?? []).Select(a => a!.ToString()).ToList();
        if (signed.Count > 0 && !signed.Intersect(Algorithms).Any())
        {
            return ($"it signs with {string.Join(", ", signed)}", $"set one of {string.Join(", ", Algorithms)} at the provider");
        }

        var keys = await context.Network.GetAsync(new Uri(document.Text("jwks_uri")!), ofCluster: false, context.CancellationToken);
        return keys.Status == 200 && JsonNode.Parse(keys.Body).At("keys") is JsonArray { Count: > 0 }
            ? null
            : ($"its jwks_uri answers {keys.Status} and no keys", "look at the provider's signing keys");
    }

    private static bool IsLoopback(string host) =>
        host is "localhost" or "127.0.0.1" or "[::1]" || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
