using Testing;

namespace Berth.Chart.Tests;

/// <summary>Ways to configure the chart, so that what holds always is asked of all of them.</summary>
internal static class ValueSets
{
    public static IReadOnlyDictionary<string, (RenderOptions Options, string[] Values)> All { get; } =
        new Dictionary<string, (RenderOptions, string[])>
        {
            ["required"] = (new(), [Chart.Required]),
            ["dev"] = (new(), [Chart.ReadFile("values-dev.yaml")]),
            ["dev-1.20"] = (new() { KubeVersion = "1.20.0" }, [Chart.ReadFile("values-dev.yaml")]),
            ["k3d"] = (new(), [Checkout.Read("src/deploy/k3d-values.yaml")]),
            ["prod"] = (new(), [Chart.ReadFile("values-prod.yaml")]),
            ["prod-upgrade"] = (new() { IsUpgrade = true }, [Chart.ReadFile("values-prod.yaml")]),
            ["prod-1.20"] = (new() { KubeVersion = "1.20.0", IsUpgrade = true }, [Chart.ReadFile("values-prod.yaml")]),
            ["cert-resolver-cloudflare"] = (new(),
            [
                Chart.Required,
                """
                tls: {mode: certResolver, certResolver: letsencrypt}
                cloudflare: {enabled: true, only: true}
                traefik:
                  redirect: {enabled: true}
                  middlewares:
                    rateLimit: {enabled: true, average: 1000000}
                    inFlight: {enabled: true}
                    allowList: {enabled: true, sourceRange: [192.0.2.0/24]}
                    headers: {response: {X-Robots-Tag: noindex}}
                    extra: [company-headers]
                """,
            ]),
            ["tls-secret"] = (new(), [Chart.Required, "tls: {mode: secret, secretName: edge-tls, workspacesSecretName: wildcard-tls}"]),
            ["path-prefix"] = (new(), [Chart.Required, "{pathPrefix: true, workspaces: {routing: None}}"]),
            ["routing-edge"] = (new(), [Chart.Required, "{workspaces: {routing: Edge}, traefik: {namespace: kube-system}}"]),
            ["bundled-own-secrets"] = (new(),
            [
                Chart.Required,
                """
                secrets: {existingSecret: my-keys, session: [s2, s1], identity: [i2, i1]}
                database: {mode: bundled, external: {host: ""}, bundled: {existingSecret: my-postgres, existingEdgeSecret: my-edge}}
                """,
            ]),
            ["no-database"] = (new(), [Chart.Required, "{database: {mode: none}, edge: {replicas: 1, autoscaling: {enabled: false}}}"]),
            ["one-namespace"] = (new(),
            [
                Chart.Required,
                "workspaces: {namespace: '', quota: {enabled: false}, limitRange: {enabled: false}}",
            ]),
            ["many-options"] = (new(),
            [
                Chart.Required,
                """
                commonLabels: {team: platform}
                connections:
                  my-calendar: {issuer: "https://id.calendar.example", clientId: berth, clientSecretRef: {name: calendar, key: secret}}
                administrators: [{issuer: "https://idp.example.com/", subject: ada}]
                image: {registry: registry.example.org/berth, pullSecrets: [registry]}
                edge:
                  options:
                    session: {idleTimeout: "04:00:00"}
                    limits: {address: {requests: 1000000}}
                    pages: {productName: "Work$(HOME)place $$5", tagline: "a, b; 'c'"}
                    proxy: {routes: [{template: studio, path: /slow, responseHeaderTimeout: "00:05:00"}]}
                  nodeSelector: {pool: edge}
                  tolerations: [{key: edge, operator: Exists}]
                operator: {options: {sweeper: {dryRun: false}}}
                workspaces:
                  backup: {mode: Archive, s3: {endpoint: "https://s3.example.com", bucket: berth}}
                  scheduling: {nodeSelector: {pool: spot}, tolerations: [{key: spot, operator: Exists, effect: NoSchedule}]}
                  allowedSources: [10.1.0.0/16]
                tracing: {endpoint: "http://collector:4317"}
                monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}, dashboards: {enabled: true}}
                secrets:
                  vault: {keys: [{id: v2, state: Active}, {id: v1, state: DecryptOnly}]}
                """,
            ]),
        };

    public static TheoryData<string> Names => [.. All.Keys];

    public static Manifests Render(string name) => Chart.Render(All[name].Options, All[name].Values);
}
