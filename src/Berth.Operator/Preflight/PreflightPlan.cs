using System.Text.Json.Nodes;

namespace Berth.Operator.Preflight;

/// <summary>What is to be installed, as far as the checks want to know.</summary>
internal sealed record PreflightPlan
{
    public required string Namespace { get; init; }

    public required string WorkspacesNamespace { get; init; }

    public required Uri PublicOrigin { get; init; }

    public required string WorkspaceDomain { get; init; }

    public bool PathPrefix { get; init; }

    public IReadOnlyList<Uri> Issuers { get; init; } = [];

    public bool UsesTraefik { get; init; }

    public bool BundledDatabase { get; init; }

    /// <summary>Storage classes that are named; the default one is needed where <see cref="NeedsDefaultStorageClass"/>.</summary>
    public IReadOnlyList<string> StorageClasses { get; init; } = [];

    public bool NeedsDefaultStorageClass { get; init; }

    /// <summary>Secrets of the release's namespace that have to be there, and an entry each (null: any).</summary>
    public IReadOnlyList<(string Name, string? Entry, string For)> Secrets { get; init; } = [];

    /// <summary>cert-manager's issuer: kind and name; null where another way gives certificates.</summary>
    public (string Kind, string Name)? CertificateIssuer { get; init; }

    /// <summary>Images that nodes have to pull.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Reads it from the chart's values.</summary>
    /// <exception cref="OperatorConfigurationException">What has to be there is not; one message names all of it.</exception>
    public static PreflightPlan From(JsonObject values, string ns, string appVersion)
    {
        var problems = new List<string>();
        if (!Uri.TryCreate(values.Text("publicOrigin"), UriKind.Absolute, out var origin) || origin.Scheme is not ("http" or "https"))
        {
            problems.Add("publicOrigin is not an address: give scheme and host, such as https://berth.example.com.");
        }

        if (values.Text("workspaceDomain") is not { } domain)
        {
            problems.Add("workspaceDomain is missing: workspaces are one label below it.");
            domain = "";
        }

        var issuers = new List<Uri>();
        foreach (var (issuer, index) in (values["issuers"] as JsonArray ?? []).Select((v, i) => (v, i)))
        {
            if (Uri.TryCreate(issuer.Text("issuer"), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            {
                issuers.Add(uri);
            }
            else
            {
                problems.Add($"issuers[{index}].issuer is not an address: give the provider's, "
                    + "exactly as its discovery document states it.");
            }
        }

        if (issuers.Count == 0 && problems.All(p => !p.StartsWith("issuers", StringComparison.Ordinal)))
        {
            problems.Add("issuers is empty: name at least one OpenID Provider.");
        }

        if (problems.Count > 0)
        {
            throw new OperatorConfigurationException(problems);
        }

        var templates = (values["templates"] as JsonObject ?? []).Where(t => t.Value is JsonObject).ToList();
        var bundled = values.Text("database", "mode") == "bundled";
        var classes = templates.Select(t => t.Value.Text("storage", "storageClassName"))
            .Concat(bundled ? [values.Text("database", "bundled", "storage", "storageClassName")] : [])
            .ToList();
        return new PreflightPlan
        {
            Namespace = ns,
            WorkspacesNamespace = values.Text("workspaces", "namespace") ?? ns,
            PublicOrigin = origin!,
            WorkspaceDomain = domain,
            PathPrefix = values.IsTrue("pathPrefix"),
            Issuers = issuers,
            UsesTraefik = values.IsTrue("traefik", "enabled"),
            BundledDatabase = bundled,
            StorageClasses = [.. classes.OfType<string>().Distinct()],
            NeedsDefaultStorageClass = classes.Contains(null),
            Secrets = [.. SecretsOf(values)],
            CertificateIssuer = values.Text("tls", "mode") == "certManager"
                && values.Text("tls", "certManager", "issuerRef", "name") is { } name
                ? (values.Text("tls", "certManager", "issuerRef", "kind") ?? "ClusterIssuer", name)
                : null,
            Images = [.. ImagesOf(values, templates.Select(t => t.Value.At("image")), bundled, appVersion).Distinct()],
        };
    }

    private static IEnumerable<(string Name, string? Entry, string For)> SecretsOf(JsonObject values)
    {
        foreach (var (issuer, index) in (values["issuers"] as JsonArray ?? []).Select((v, i) => (v, i)))
        {
            if (issuer.Text("clientSecretRef", "name") is { } client)
            {
                yield return (client, issuer.Text("clientSecretRef", "key"), $"issuers[{index}].clientSecretRef");
            }
        }

        if (values.Text("database", "mode") == "external" && values.Text("database", "external", "passwordSecret", "name") is { } password)
        {
            yield return (password, values.Text("database", "external", "passwordSecret", "key"), "database.external.passwordSecret");
        }

        if (values.Text("database", "mode") == "external" && values.Text("database", "migration", "passwordSecret", "name") is { } owner)
        {
            yield return (owner, values.Text("database", "migration", "passwordSecret", "key"), "database.migration.passwordSecret");
        }

        foreach (var name in values.Text("database", "mode") == "bundled" ? new[] { "existingSecret", "existingEdgeSecret" } : [])
        {
            if (values.Text("database", "bundled", name) is { } bundled)
            {
                yield return (bundled, "password", $"database.bundled.{name}");
            }
        }

        if (values.Text("secrets", "existingSecret") is { } keys)
        {
            yield return (keys, null, "secrets.existingSecret");
        }

        if (values.Text("tls", "mode") == "secret" && values.Text("tls", "secretName") is { } certificate)
        {
            yield return (certificate, "tls.crt", "tls.secretName");
        }

        foreach (var pull in values.At("image", "pullSecrets") as JsonArray ?? [])
        {
            yield return (pull?.ToString() ?? "", null, "image.pullSecrets");
        }
    }

    private static IEnumerable<string> ImagesOf(JsonObject values, IEnumerable<JsonNode?> templates, bool bundled, string appVersion)
    {
        var registry = values.Text("image", "registry");
        var parts = new[] { values.At("operator", "image"), values.At("edge", "image") }
            .Concat(bundled ? [values.At("database", "bundled", "image")] : [])
            .Concat(templates);
        foreach (var part in parts)
        {
            if (part is JsonValue text)
            {
                yield return text.ToString();
            }
            else if (part.Text("repository") is { } repository)
            {
                var own = part.Text("registry") ?? registry;
                var name = own is null ? repository : $"{own.TrimEnd('/')}/{repository}";
                yield return part.Text("digest") is { } digest ? $"{name}@{digest}" : $"{name}:{part.Text("tag") ?? appVersion}";
            }
        }
    }
}
