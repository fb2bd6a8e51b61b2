using System.Text.Json.Nodes;
using Berth.Resources;

namespace Berth.Operator.Preflight;

/// <summary>Kinds that have to be there, ours and other people's, and where volumes come from.</summary>
internal static class DefinitionChecks
{
    private static readonly Version OldestTraefik = new(3, 0);

    public static async Task<PreflightResult> OursAsync(PreflightContext context)
    {
        var found = new List<string>();
        var problems = new List<string>();
        foreach (var kind in new[] { UserWorkspace.Descriptor, WorkspaceTemplate.Descriptor, BerthPolicy.Descriptor })
        {
            var name = $"{kind.Plural}.{kind.Group}";
            var definition = await DefinitionAsync(context, name);
            if (definition is null)
            {
                continue;
            }

            found.Add(name);
            if (!Served(definition).Contains(kind.Version))
            {
                problems.Add($"{name} serves {string.Join(", ", Served(definition))} and not {kind.Version}");
            }

            var stored = (definition.At("status", "storedVersions") as JsonArray ?? []).Select(v => v!.ToString());
            problems.AddRange(stored.Where(v => v != kind.Version)
                .Select(v => $"{name} has objects stored as {v}, which this version does not know"));
        }

        return problems.Count > 0
            ? PreflightResult.Fail("definitions", string.Join("; ", problems),
                "apply crds/ of the version to be installed, and migrate what is stored (docs/upgrades.md)")
            : found.Count switch
            {
                0 => PreflightResult.Pass("definitions", "Berth's kinds are not there yet: the chart brings them"),
                3 => PreflightResult.Pass("definitions", $"Berth's kinds serve {UserWorkspace.Descriptor.Version}"),
                _ => PreflightResult.Warn("definitions", $"only {string.Join(", ", found)} is there",
                    "apply crds/: Helm installs definitions only where none is there"),
            };
    }

    public static async Task<IReadOnlyList<PreflightResult>> TraefikAsync(PreflightContext context)
    {
        if (!context.Plan.UsesTraefik)
        {
            return [PreflightResult.Skip("traefik", "traefik.enabled is not set")];
        }

        return [await KindsOfTraefikAsync(context), await ProcessOfTraefikAsync(context)];
    }

    public static async Task<PreflightResult> StorageAsync(PreflightContext context)
    {
        var list = await context.GetAsync("/apis/storage.k8s.io/v1/storageclasses");
        var classes = (list.At("items") as JsonArray ?? []).OfType<JsonObject>().ToList();
        var names = classes.Select(c => c.Text("metadata", "name")!).ToList();
        var missing = context.Plan.StorageClasses.Except(names).ToList();
        if (missing.Count > 0)
        {
            return PreflightResult.Fail("storage", $"no StorageClass {string.Join(", ", missing)}; there is {Listed(names)}",
                "correct storageClassName in the values, or make the class");
        }

        var defaults = classes
            .Where(c => c.Text("metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true").ToList();
        if (!context.Plan.NeedsDefaultStorageClass)
        {
            return PreflightResult.Pass("storage", $"StorageClass {string.Join(", ", context.Plan.StorageClasses)}");
        }

        return defaults switch
        {
            [] => PreflightResult.Fail("storage", $"no default StorageClass; there is {Listed(names)}",
                "annotate one with storageclass.kubernetes.io/is-default-class=true, or name one in templates.*.storage.storageClassName"),
            [var one] when !one.IsTrue("allowVolumeExpansion") => PreflightResult.Warn("storage",
                $"the default StorageClass {one.Text("metadata", "name")} cannot make volumes larger later",
                "allowVolumeExpansion: true, where its driver can"),
            [var one] => PreflightResult.Pass("storage", $"default StorageClass {one.Text("metadata", "name")}"),
            _ => PreflightResult.Warn("storage",
                $"{defaults.Count} default StorageClasses: {Listed([.. defaults.Select(d => d.Text("metadata", "name")!)])}",
                "leave the annotation to one of them"),
        };
    }

    public static async Task<PreflightResult> CertificatesAsync(PreflightContext context)
    {
        if (context.Plan.CertificateIssuer is not var (kind, name))
        {
            return PreflightResult.Skip("certificates", "tls.mode is not certManager");
        }

        if (await DefinitionAsync(context, "certificates.cert-manager.io") is not { } definition || !Served(definition).Contains("v1"))
        {
            return PreflightResult.Fail("certificates", "cert-manager's kinds are not there",
                "install cert-manager, or choose another tls.mode");
        }

        var path = kind == "Issuer"
            ? $"/apis/cert-manager.io/v1/namespaces/{context.Plan.Namespace}/issuers/{name}"
            : $"/apis/cert-manager.io/v1/clusterissuers/{name}";
        var issuer = await context.GetAsync(path);
        var ready = (issuer.At("status", "conditions") as JsonArray ?? []).FirstOrDefault(c => c.Text("type") == "Ready");
        return issuer is null ? PreflightResult.Fail("certificates", $"no {kind} {name}", "make it, or correct tls.certManager.issuerRef")
            : ready.Text("status") != "True"
                ? PreflightResult.Fail("certificates", $"{kind} {name} is not ready: {ready.Text("message") ?? "it says nothing"}",
                $"kubectl describe {kind.ToLowerInvariant()} {name}")
            : PreflightResult.Pass("certificates", $"{kind} {name} is ready");
    }

    private static async Task<PreflightResult> KindsOfTraefikAsync(PreflightContext context)
    {
        var missing = new List<string>();
        foreach (var name in new[] { "ingressroutes", "middlewares", "tlsoptions" })
        {
            if (await DefinitionAsync(context, $"{name}.traefik.io") is not { } definition || !Served(definition).Contains("v1alpha1"))
            {
                missing.Add($"{name}.traefik.io");
            }
        }

        return missing.Count == 0
            ? PreflightResult.Pass("traefik-kinds", "Traefik's kinds serve v1alpha1")
            : PreflightResult.Fail("traefik-kinds", $"not there: {string.Join(", ", missing)}",
                "install Traefik 3 with its definitions, or set traefik.enabled=false and lead to the edge's Service by other means");
    }

    private static async Task<PreflightResult> ProcessOfTraefikAsync(PreflightContext context)
    {
        var containers = new List<JsonNode>();
        foreach (var kind in new[] { "deployments", "daemonsets" })
        {
            var list = await context.GetAsync($"/apis/apps/v1/{kind}?labelSelector=app.kubernetes.io%2Fname%3Dtraefik");
            containers.AddRange((list.At("items") as JsonArray ?? [])
                .SelectMany(i => i.At("spec", "template", "spec", "containers") as JsonArray ?? [])
                .Where(c => c.Text("image")?.Contains("traefik", StringComparison.Ordinal) == true)!);
        }

        if (containers is not [var traefik, ..])
        {
            return PreflightResult.Warn("traefik", "no Deployment or DaemonSet with the label app.kubernetes.io/name=traefik was found",
                "make sure that Traefik 3 runs, and set traefik.podLabels to what its pods bear");
        }

        var image = traefik.Text("image")!;
        var version = ClusterChecks.Parse(image.Split('@')[0].Split(':') is [_, .., var tag] ? tag : null);
        if (version is not null && version < OldestTraefik)
        {
            return PreflightResult.Fail("traefik", image, "Traefik 3.0 or later: rules and middlewares are written for it");
        }

        var arguments = (traefik.At("args") as JsonArray ?? []).Select(a => a!.ToString()).ToList();
        var across = arguments.Any(
            a => string.Equals(a, "--providers.kubernetescrd.allowcrossnamespace", StringComparison.OrdinalIgnoreCase)
            || string.Equals(a, "--providers.kubernetescrd.allowcrossnamespace=true", StringComparison.OrdinalIgnoreCase));
        return context.Plan.WorkspacesNamespace != context.Plan.Namespace && !across
            ? PreflightResult.Warn("traefik",
                $"{image}, without --providers.kubernetescrd.allowCrossNamespace among its arguments: routes in "
                    + $"{context.Plan.WorkspacesNamespace} could not lead to the edge in {context.Plan.Namespace}",
                "providers.kubernetesCRD.allowCrossNamespace: true in Traefik's values, unless a configuration file says so")
            : version is null ? PreflightResult.Warn("traefik", $"the version of {image} cannot be read",
                "make sure that it is Traefik 3.0 or later")
            : PreflightResult.Pass("traefik", image);
    }

    private static Task<JsonNode?> DefinitionAsync(PreflightContext context, string name) =>
        context.GetAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");

    private static List<string> Served(JsonNode definition) =>
        [.. (definition.At("spec", "versions") as JsonArray ?? []).Where(v => v.IsTrue("served")).Select(v => v.Text("name")!)];

    private static string Listed(List<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
