using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>Sets of options that installations of very different kinds would take.</summary>
internal static class Matrix
{
    private const string Dev = "values-dev.yaml";
    private const string Prod = "values-prod.yaml";

    // What values-prod leaves to the person who installs.
    private const string Basics = """
        {
          "publicOrigin": "https://berth.example.com", "workspaceDomain": "workspaces.example.dev", "trustedProxies": ["10.42.0.0/16"],
          "issuers": [
            {
              "issuer": "https://idp.example.com/", "clientId": "berth",
              "clientSecretRef": { "name": "berth-oidc", "key": "client-secret" }
            }
          ],
          "database": {
            "mode": "external", "external": { "host": "db.example.com", "passwordSecret": { "name": "berth-database", "key": "password" } }
          }
        }
        """;

    /// <summary>Each set's name, values file and values on top.</summary>
    public static IReadOnlyDictionary<string, (string? File, string Values)> Sets { get; } = new Dictionary<string, (string?, string)>
    {
        ["values-dev"] = (Dev, "{}"),
        ["values-prod"] = (Prod, "{}"),
        ["least"] = (null, "{}"),
        ["path-prefix"] = (null, """
            {
              "pathPrefix": true,
              "workspaceDomain": "work.example.dev",
              "workspaces": { "routing": "None" }
            }
            """),
        ["edge-forwards"] = (null, """
            {
              "workspaces": { "routing": "Edge" },
              "traefik": { "redirect": { "enabled": true } }
            }
            """),
        ["lets-encrypt"] = (null, """
            {
              "tls": { "mode": "certResolver", "certResolver": "acme" },
              "traefik": {
                "namespace": "traefik",
                "middlewares": {
                  "rateLimit": { "enabled": true }, "inFlight": { "enabled": true },
                  "allowList": { "enabled": true, "sourceRange": ["192.0.2.0/24"] }
                }
              }
            }
            """),
        ["cert-manager"] = (null, """
            {
              "tls": { "mode": "certManager", "certManager": { "issuerRef": { "name": "letsencrypt" } } }
            }
            """),
        ["own-certificate"] = (null, """
            {
              "tls": { "mode": "secret", "secretName": "edge-tls", "workspacesSecretName": "wildcard-tls" }
            }
            """),
        ["cloudflare"] = (null, """
            {
              "cloudflare": { "enabled": true, "only": true },
              "traefik": {
                "middlewares": {
                  "rateLimit": { "enabled": true },
                  "headers": { "hstsIncludeSubdomains": true, "response": { "X-Robots-Tag": "noindex" } }
                }
              }
            }
            """),
        ["monitored"] = (null, """
            {
              "monitoring": {
                "serviceMonitor": { "enabled": true },
                "prometheusRule": { "enabled": true },
                "dashboards": { "enabled": true }
              },
              "tracing": { "endpoint": "http://otel:4317" }
            }
            """),
        ["without-database"] = (null, """
            {
              "database": { "mode": "none" },
              "edge": { "replicas": 1, "autoscaling": { "enabled": false } }
            }
            """),
        ["own-secrets"] = (null, """
            {
              "secrets": { "existingSecret": "my-keys", "vault": { "enabled": false } },
              "image": { "registry": "registry.example.org/berth", "pullSecrets": ["pull"] },
              "edge": { "serviceAccount": { "name": "edge" }, "extraEnv": [{ "name": "SSL_CERT_DIR", "value": "/etc/ca" }] },
              "operator": { "serviceAccount": { "name": "operator" } },
              "commonLabels": { "team": "platform" }
            }
            """),
        ["one-namespace"] = (null, """
            {
              "workspaces": {
                "namespace": "berth",
                "createNamespace": false,
                "quota": { "enabled": false },
                "limitRange": { "enabled": false }
              },
              "networkPolicy": { "enabled": false },
              "fullnameOverride": "b"
            }
            """),
        ["spot-and-warm"] = (null, """
            {
              "workspaces": {
                "scheduling": { "nodeSelector": { "pool": "spot" }, "tolerations": [{ "key": "spot", "operator": "Exists" }] }
              },
              "templates": { "studio": { "warmPool": { "size": 2 } } },
              "edge": { "nodeSelector": { "pool": "system" } },
              "policy": { "spec": { "perPerson": { "workspaces": 3 } } }
            }
            """),
    };

    public static Rendering Of(string set)
    {
        var (file, values) = Sets[set];
        var own = JsonNode.Parse(values)!.AsObject();
        var merged = file is null ? Merge(JsonNode.Parse(Basics)!.AsObject(), own) : own;
        return new Rendering { Files = file is null ? [] : [file], Values = merged, Apis = ["traefik.io/v1alpha1"] };
    }

    private static JsonObject Merge(JsonObject into, JsonObject from)
    {
        foreach (var (key, value) in from)
        {
            into[key] = value is JsonObject above && into[key] is JsonObject below
                ? Merge(below.DeepClone().AsObject(), above) : value?.DeepClone();
        }

        return into;
    }
}
