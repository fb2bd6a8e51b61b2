using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Berth.Chart.Tests;

/// <summary>Routes, middlewares and certificates.</summary>
public sealed partial class TraefikTests
{
    // The operator's own routes of a ready workspace are at 100, 150 and 200.
    private const int LowestOfTheOperator = 100;

    public static TheoryData<string> Sets => ValueSets.Names;

    [SkippableFact]
    public void WorkspacesRoute_IsBelowTheOperatorsRoutes()
    {
        var manifests = ValueSets.Render("required");
        Assert.All(manifests.Of("IngressRoute"), r =>
            Assert.InRange((int)r["spec"]!["routes"]![0]!["priority"]!, 1, LowestOfTheOperator - 1));
        Assert.Equal(1, Priority(manifests, "berth-workspaces"));
    }

    [SkippableTheory]
    [InlineData("ws-abc.workspaces.example.dev", true)]
    [InlineData("a.workspaces.example.dev", true)]
    [InlineData("workspaces.example.dev", false)]
    [InlineData("a.b.workspaces.example.dev", false)]
    [InlineData("-a.workspaces.example.dev", false)]
    [InlineData("a.workspacesXexample.dev", false)]
    [InlineData("a.workspaces.example.dev.evil.test", false)]
    [InlineData("berth.example.com", false)]
    public void WorkspacesRoute_TakesHostsOneLabelBelowTheDomain(string host, bool taken)
    {
        var rule = Match(ValueSets.Render("required"), "berth-workspaces");
        var pattern = HostRegexp().Match(rule).Groups[1].Value;
        Assert.Equal(taken, Regex.IsMatch(host, pattern));
    }

    [SkippableFact]
    public void WorkspacesRoute_WithPathPrefix_IsTheOneHost() =>
        Assert.Equal("Host(`workspaces.example.dev`)", Match(ValueSets.Render("path-prefix"), "berth-workspaces"));

    [SkippableFact]
    public void EdgeRoute_HasThePublicOriginsHost_WithoutItsPort() =>
        Assert.Equal("Host(`berth.example.com`)", Match(Chart.Render("publicOrigin: https://berth.example.com:8443"), "berth-edge"));

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Routes_LeadToAServiceAndUseMiddlewaresThatAreThere(string set)
    {
        var manifests = ValueSets.Render(set);
        var known = manifests.Of("Middleware").Select(m => m.Name()).Append("company-headers").ToHashSet();
        foreach (var route in manifests.Of("IngressRoute").SelectMany(r => r["spec"]!["routes"]!.AsArray()))
        {
            Assert.All(route!["middlewares"]?.AsArray() ?? [], m => Assert.Contains((string)m!["name"]!, known));
            var service = route["services"]![0]!;
            var ports = manifests.One("Service", (string)service["name"]!)["spec"]!["ports"]!.AsArray();
            Assert.Contains(ports, p => (int)p!["port"]! == (int)service["port"]!);
        }
    }

    [SkippableFact]
    public void Middlewares_AreInTheOrderOfTheirPrice()
    {
        var names = ValueSets.Render("cert-resolver-cloudflare").One("IngressRoute", "berth-edge")["spec"]!["routes"]![0]!["middlewares"]!
            .AsArray()
            .Select(m => (string)m!["name"]!);
        Assert.Equal(["company-headers", "berth-cloudflare-only", "berth-allow-list", "berth-in-flight", "berth-rate-limit",
            "berth-headers"], names);
    }

    // By default Traefik counts requests in flight by host, and all people would share them.
    [SkippableFact]
    public void Limits_AreByTheClientsAddress()
    {
        var plain = Chart.Render("traefik: {middlewares: {rateLimit: {enabled: true}, inFlight: {enabled: true}, depth: 2}}");
        Assert.Equal(2, (int)plain.One("Middleware",
            "berth-rate-limit")["spec"]!["rateLimit"]!["sourceCriterion"]!["ipStrategy"]!["depth"]!);
        Assert.Equal(2, (int)plain.One("Middleware",
            "berth-in-flight")["spec"]!["inFlightReq"]!["sourceCriterion"]!["ipStrategy"]!["depth"]!);
        var direct = Chart.Render("traefik: {middlewares: {inFlight: {enabled: true}}}");
        Assert.NotNull(direct.One("Middleware", "berth-in-flight")["spec"]!["inFlightReq"]!["sourceCriterion"]!["ipStrategy"]);
    }

    [SkippableFact]
    public void LargeNumbers_AreWrittenOut() =>
        Assert.Equal("1000000", ValueSets.Render("cert-resolver-cloudflare").One("Middleware",
            "berth-rate-limit")["spec"]!["rateLimit"]!["average"]!.ToString());

    [SkippableFact]
    public void Cloudflare_IsTrustedPassedOverAndAlone()
    {
        var manifests = ValueSets.Render("cert-resolver-cloudflare");
        var ranges = YamlJson.ReadOne(Chart.ReadFile("files", "cloudflare.yaml"))["ranges"].Strings();
        Assert.Equal(22, ranges.Length);
        Assert.All(ranges, r => Assert.True(System.Net.IPNetwork.TryParse(r, out _), r));
        var trusted = manifests.Environment("Deployment", "berth-edge")
            .Where(e => e.Key.StartsWith("Berth__Edge__TrustedProxies__", StringComparison.Ordinal));
        Assert.Equal(ranges.Append("10.42.0.0/16").Order(), trusted.Select(t => t.Value).Order());
        var limit = manifests.One("Middleware", "berth-rate-limit")["spec"]!["rateLimit"]!["sourceCriterion"]!["ipStrategy"]!;
        Assert.Equal(ranges, limit["excludedIPs"].Strings());

        // By the address of the connection: what X-Forwarded-For says, anybody can write.
        var only = manifests.One("Middleware", "berth-cloudflare-only")["spec"]!["ipAllowList"]!;
        Assert.Equal(ranges, only["sourceRange"].Strings());
        Assert.Null(only["ipStrategy"]);
    }

    [SkippableFact]
    public void Cloudflare_Off_IsNowhere() => Assert.DoesNotContain("173.245.48.0/20",
        string.Join('\n', ValueSets.Render("prod").All.Select(m => m.ToJsonString())), StringComparison.Ordinal);

    [SkippableFact]
    public void Tls_ByCertResolver_AsksForTheHostAndTheWildcardOnce()
    {
        var manifests = ValueSets.Render("cert-resolver-cloudflare");
        Assert.Equal("letsencrypt", (string?)Tls(manifests, "berth-edge")!["certResolver"]);
        Assert.Equal("*.workspaces.example.dev", (string?)Tls(manifests, "berth-workspaces")!["domains"]![0]!["main"]);

        // A resolver on each workspace's route would ask for a certificate of its own.
        Assert.DoesNotContain("Berth__Operator__Traefik__CertResolver", manifests.Environment("Deployment", "berth-operator").Keys);
        Assert.Equal("true", manifests.Environment("Deployment", "berth-operator")["Berth__Operator__Traefik__Tls"]);
    }

    [SkippableFact]
    public void Tls_ByCertManager_MakesTheSecretsThatRoutesName()
    {
        var manifests = ValueSets.Render("prod");
        foreach (var (route, host) in new[] { ("berth-edge", "berth.example.com"), ("berth-workspaces", "*.workspaces.example.dev") })
        {
            var secret = (string)Tls(manifests, route)!["secretName"]!;
            var certificate = manifests.Of("Certificate").Single(c => (string)c["spec"]!["secretName"]! == secret);
            Assert.Equal([host], certificate["spec"]!["dnsNames"].Strings());
            Assert.Equal("letsencrypt", (string?)certificate["spec"]!["issuerRef"]!["name"]);
        }
    }

    [SkippableFact]
    public void Tls_BySecret_NamesTheGivenOnes()
    {
        var manifests = ValueSets.Render("tls-secret");
        Assert.Equal("edge-tls", (string?)Tls(manifests, "berth-edge")!["secretName"]);
        Assert.Equal("wildcard-tls", (string?)Tls(manifests, "berth-workspaces")!["secretName"]);
        Assert.Empty(manifests.Of("Certificate"));
    }

    [SkippableFact]
    public void Tls_EndingBeforeTraefik_IsOnNoRoute()
    {
        var manifests = Chart.Render("tls: {mode: none}");
        Assert.All(manifests.Of("IngressRoute"), r => Assert.Null(r["spec"]!["tls"]));
        Assert.Equal("false", manifests.Environment("Deployment", "berth-operator")["Berth__Operator__Traefik__Tls"]);
        Assert.Equal(31536000, (int)manifests.One("Middleware", "berth-headers")["spec"]!["headers"]!["stsSeconds"]!);
    }

    [SkippableFact]
    public void Redirect_LeadsPlainHttpToHttps()
    {
        var manifests = ValueSets.Render("cert-resolver-cloudflare");
        var route = manifests.One("IngressRoute", "berth-redirect")["spec"]!;
        Assert.Equal(["web"], route["entryPoints"].Strings());
        Assert.Null(route["tls"]);
        Assert.Equal("https", (string?)manifests.One("Middleware", "berth-redirect")["spec"]!["redirectScheme"]!["scheme"]);
    }

    [SkippableFact]
    public void Off_MakesNothingOfTraefik() =>
        Assert.DoesNotContain(ValueSets.Render("dev").All, m =>
            ((string)m["apiVersion"]!).StartsWith("traefik.io", StringComparison.Ordinal));

    private static string Match(Manifests manifests, string route) =>
        (string)manifests.One("IngressRoute", route)["spec"]!["routes"]![0]!["match"]!;

    private static int Priority(Manifests manifests, string route) =>
        (int)manifests.One("IngressRoute", route)["spec"]!["routes"]![0]!["priority"]!;

    private static JsonNode? Tls(Manifests manifests, string route) => manifests.One("IngressRoute", route)["spec"]!["tls"];

    [GeneratedRegex("^HostRegexp\\(`(.*)`\\)$")]
    private static partial Regex HostRegexp();
}
