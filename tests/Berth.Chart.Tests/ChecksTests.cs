namespace Berth.Chart.Tests;

/// <summary>Values that cannot work are refused, all together, each with its name and the remedy.</summary>
public sealed class ChecksTests
{
    public static TheoryData<string, string> Bad => new()
    {
        { "publicOrigin: ''", "publicOrigin is missing: set the origin" },
        { "publicOrigin: https://berth.example.com/", "publicOrigin is 'https://berth.example.com/': give scheme" },
        { "publicOrigin: http://berth.example.com", "http is for localhost only" },
        { "workspaceDomain: ''", "workspaceDomain is missing: set the domain" },
        { "workspaceDomain: '*.example.dev'", "workspaceDomain is '*.example.dev': give a domain" },
        { "workspaceDomain: berth.example.com", "the host of publicOrigin: pages of workspaces" },
        { "workspaceDomain: example.com", "is below workspaceDomain 'example.com'" },
        { "pathPrefix: true", "pathPrefix needs workspaces.routing: None" },
        { "issuers: []", "issuers is empty: name the OpenID Provider" },
        { "issuers: [{clientId: berth}]", "issuers[0].issuer is missing" },
        { "issuers: [{issuer: 'https://x.test'}]", "issuers[0].clientId is missing" },
        { "issuers: [{issuer: 'https://x.test', clientId: a, clientSecret: b, clientSecretRef: {name: c}}]",
            "issuers[0] has clientSecret and clientSecretRef" },
        { "issuers: [{issuer: 'https://x.test', clientId: a, clientSecretRef: {key: c}}]", "issuers[0].clientSecretRef.name is missing" },
        { "connections: {Bad_Name: {issuer: 'https://x.test', clientId: a}}", "connections has the name 'Bad_Name'" },
        { "{connections: {ok: {issuer: 'https://x.test', clientId: a}}, secrets: {vault: {enabled: false}}}",
            "connections need the token vault" },
        { "edge: {options: {trustedProxies: [10.0.0.0/8]}}", "edge.options sets TrustedProxies: the chart has the value trustedProxies" },
        { "edge: {options: {Database: {ConnectionString: Host=x}}}",
            "edge.options sets Database:ConnectionString: the chart has the value database" },
        { "operator: {options: {routing: None}}", "operator.options sets Routing: the chart has the value workspaces.routing" },
        { "edge: {options: {management: {port: 9000}}}", "cannot move the ports 8080 and 8081" },
        { "tls: {mode: certResolver}", "tls.certResolver is empty" },
        { "tls: {mode: secret, secretName: a, certResolver: b}", "tls.certResolver is 'b' and tls.mode is secret" },
        { "tls: {mode: certManager}", "tls.certManager.issuerRef.name is empty" },
        { "tls: {mode: default, certManager: {issuerRef: {name: a}}}", "tls.certManager.issuerRef.name is 'a' and tls.mode is default" },
        { "tls: {mode: secret}", "tls.secretName is empty" },
        { "tls: {secretName: a}", "tls.secretName is 'a' and tls.mode is default" },
        { "{publicOrigin: 'http://localhost:8080', workspaceDomain: localhost, tls: {mode: secret, secretName: a}}",
            "tls.mode is secret and publicOrigin begins with http" },
        { "{traefik: {enabled: false}, networkPolicy: {enabled: false}, workspaces: {routing: None}, "
            + "tls: {mode: certResolver, certResolver: a}}",
            "tls.mode is certResolver and traefik.enabled is false" },
        { "database: {external: {host: ''}}", "database.external.host is missing" },
        { "database: {external: {passwordSecret: {name: ''}}}", "database.external.passwordSecret.name is missing" },
        { "database: {external: {host: 'a;Password=b'}}", "database.external.host is 'a;Password=b'" },
        { "database: {external: {parameters: {Password: b}}}", "a password belongs into database.external.passwordSecret" },
        { "database: {external: {parameters: {Timeout: '1;Host=evil'}}}", "holds a semicolon" },
        { "database: {migration: {username: owner}}", "database.migration.passwordSecret.name is empty" },
        { "database: {mode: bundled}", "database.mode is bundled and database.external.host" },
        { "database: {mode: none}", "set edge.replicas to 1" },
        { "secrets: {session: [a, b, c]}", "secrets.session names 3 keys" },
        { "secrets: {identity: [session-1]}", "secrets names an entry twice" },
        { "secrets: {vault: {keys: [{id: a, state: Retired}]}}", "secrets.vault.keys has 0 keys with the state Active" },
        { "workspaces: {namespace: ''}", "a quota would count operator and edge as well" },
        { "workspaces: {namespace: kube-system}", "which is not for people's programs" },
        { "templates: {Bad_Name: {image: a}}", "templates has the name 'Bad_Name'" },
        { "templates: {web: {port: 80}}", "templates.web.image is missing" },
        { "trustedProxies: []", "trustedProxies is empty" },
        { "trustedProxies: [0.0.0.0/0]", "which trusts everybody" },
        { "trustedProxies: [traefik]", "trustedProxies holds 'traefik'" },
        { "traefik: {entryPoints: []}", "traefik.entryPoints is empty" },
        { "{traefik: {enabled: false}, networkPolicy: {enabled: false}}",
            "traefik.enabled is false and workspaces.routing is ForwardAuth" },
        { "{traefik: {enabled: false}, workspaces: {routing: None}}", "networkPolicy.edgeFrom is empty: nobody would reach the edge" },
        { "traefik: {middlewares: {allowList: {enabled: true}}}", "allowList.sourceRange is empty" },
        { "cloudflare: {only: true}", "cloudflare.only needs cloudflare.enabled" },
    };

    [SkippableTheory]
    [MemberData(nameof(Bad))]
    public void Values_ThatCannotWork_AreNamedWithTheRemedy(string values, string message)
    {
        var refusal = Chart.Refusal(values);
        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.Contains("the values have 1 problem(s)", refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Values_ThatAreMissing_AreNamedTogether()
    {
        var refusal = Chart.Refusal(new RenderOptions());
        Assert.All((string[])["publicOrigin", "workspaceDomain", "issuers", "database.external.host",
            "database.external.passwordSecret.name", "trustedProxies"],
            name => Assert.Contains($"- {name} is ", refusal, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Values_OnOneMachine_MayShareLocalhost() =>
        Chart.Render("{publicOrigin: 'http://localhost:30080', workspaceDomain: localhost, tls: {mode: none}}");
}
