using System.Globalization;
using System.Text.Json.Nodes;
using Kube.Client;

namespace Berth.Operator.Preflight;

/// <summary>The cluster itself: its version, its clock, what the person who installs may do there.</summary>
internal static class ClusterChecks
{
    private static readonly Version Oldest = new(1, 20);
    private static readonly Version KnowsRules = new(1, 25);

    // Sessions, tokens and leases compare times; half a warning time (docs/edge.md) is more, five seconds is what anybody's NTP holds.
    private static readonly TimeSpan Noticeable = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TooMuch = TimeSpan.FromSeconds(30);

    public static async Task<PreflightResult> VersionAsync(PreflightContext context)
    {
        var answer = await context.GetAsync("/version");
        var name = answer.Text("gitVersion") ?? "unknown";
        if (Parse(answer.Text("gitVersion")) is not { } version)
        {
            return PreflightResult.Warn("cluster", $"the version {name} cannot be read", "make sure that it is Kubernetes 1.20 or later");
        }

        return version < Oldest
            ? PreflightResult.Fail("cluster", $"Kubernetes {name}", $"Kubernetes {Oldest} or later")
            : version < KnowsRules
                ? PreflightResult.Warn("cluster", $"Kubernetes {name}, which does not check the CEL rules of the definitions",
                    "nothing, or Kubernetes 1.25 or later; docs/cluster.md says what differs")
                : PreflightResult.Pass("cluster", $"Kubernetes {name}");
    }

    public static async Task<PreflightResult> ClockAsync(PreflightContext context, Uri server)
    {
        var before = context.Clock.GetUtcNow();
        var answer = await context.Network.GetAsync(new Uri(server, "/version"), ofCluster: true, context.CancellationToken);
        return Difference("clock", "the cluster's clock", answer.Date, before, context.Clock.GetUtcNow());
    }

    /// <summary>How far two clocks are apart, where one side's word has whole seconds and came at some time in between.</summary>
    internal static PreflightResult Difference(
        string check, string whose, DateTimeOffset? date, DateTimeOffset before, DateTimeOffset after)
    {
        if (date is not { } theirs)
        {
            return PreflightResult.Skip(check, $"{whose} is not known: the answer has no Date");
        }

        // Cut to seconds, so it may be up to one later than it says.
        var difference = theirs > after ? theirs - after : before - theirs.AddSeconds(1) is { Ticks: > 0 } behind ? behind : TimeSpan.Zero;
        var came =
            $"{whose} is {difference.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s "
                + $"{(theirs > after ? "ahead of" : "behind")} this machine's";
        return difference >= TooMuch
            ? PreflightResult.Fail(check, came, "set both clocks by NTP: sign-ins would fail as expired or not yet valid")
            : difference >= Noticeable ? PreflightResult.Warn(check, came, "set both clocks by NTP")
            : PreflightResult.Pass(check, $"{whose} agrees with this machine's");
    }

    public static async Task<PreflightResult> RightsAsync(PreflightContext context)
    {
        var missing = new List<string>();
        foreach (var (group, resource, ns) in Needed(context.Plan))
        {
            foreach (var verb in new[] { "create", "patch" })
            {
                var review = await context.PostAsync("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", new JsonObject
                {
                    ["apiVersion"] = "authorization.k8s.io/v1",
                    ["kind"] = "SelfSubjectAccessReview",
                    ["spec"] = new JsonObject
                    {
                        ["resourceAttributes"] = new JsonObject
                        {
                            ["group"] = group,
                            ["resource"] = resource,
                            ["verb"] = verb,
                            ["namespace"] = ns,
                        },
                    },
                });
                if (!review.IsTrue("status", "allowed"))
                {
                    missing.Add($"{verb} {resource}{(group.Length > 0 ? "." + group : "")}{(ns is null ? "" : $" in {ns}")}");
                }
            }
        }

        return missing.Count == 0
            ? PreflightResult.Pass("rights", "whoever installs may make all that the chart holds")
            : PreflightResult.Fail("rights",
                $"not allowed: {string.Join(", ", missing.Take(8))}{(missing.Count > 8 ? $" and {missing.Count - 8} more" : "")}",
                "install as an administrator of the cluster, or have one grant these");
    }

    public static async Task<PreflightResult> SecretsAsync(PreflightContext context)
    {
        if (context.Plan.Secrets.Count == 0)
        {
            return PreflightResult.Skip("secrets", "the values name none that have to be there before");
        }

        var problems = new List<string>();
        foreach (var (name, entry, use) in context.Plan.Secrets)
        {
            var path = $"/api/v1/namespaces/{context.Plan.Namespace}/secrets/{Uri.EscapeDataString(name)}";
            var secret = await context.GetAsync(path);
            if (secret is null)
            {
                problems.Add($"Secret {context.Plan.Namespace}/{name} ({use}) is not there");
            }
            else if (entry is not null && secret.At("data", entry) is null)
            {
                problems.Add($"Secret {context.Plan.Namespace}/{name} ({use}) has no entry {entry}");
            }
        }

        return problems.Count == 0
            ? PreflightResult.Pass("secrets", $"{context.Plan.Secrets.Count} named, all there")
            : PreflightResult.Fail("secrets", string.Join("; ", problems), "make them before the installation (docs/install.md)");
    }

    private static IEnumerable<(string Group, string Resource, string? Namespace)> Needed(PreflightPlan plan)
    {
        const string Rbac = "rbac.authorization.k8s.io";
        (string, string)[] whole =
        [
            ("apiextensions.k8s.io", "customresourcedefinitions"), ("", "namespaces"), (Rbac, "clusterroles"),
            (Rbac, "clusterrolebindings"),
            ("berth.dev", "berthpolicies"),
        ];
        List<(string, string)> release =
        [
            ("apps", "deployments"), ("", "services"), ("", "serviceaccounts"), ("", "secrets"), (Rbac, "roles"), (Rbac, "rolebindings"),
            ("batch", "jobs"), ("networking.k8s.io", "networkpolicies"), ("policy", "poddisruptionbudgets"),
            ("autoscaling", "horizontalpodautoscalers"),
        ];
        if (plan.BundledDatabase)
        {
            release.Add(("apps", "statefulsets"));
        }

        if (plan.UsesTraefik)
        {
            release.AddRange([("traefik.io", "ingressroutes"), ("traefik.io", "middlewares")]);
        }

        (string, string)[] workspaces =
        [
            ("", "resourcequotas"), ("", "limitranges"), ("networking.k8s.io", "networkpolicies"), (Rbac, "roles"), (Rbac, "rolebindings"),
            ("berth.dev", "workspacetemplates"),
        ];
        return [
            .. whole.Select(r => (r.Item1, r.Item2, (string?)null)),
            .. release.Select(r => (r.Item1, r.Item2, (string?)plan.Namespace)),
            .. workspaces.Select(r => (r.Item1, r.Item2, (string?)plan.WorkspacesNamespace)),
        ];
    }

    /// <summary>Major and minor of a version such as v1.33.1+k3s1; null for what is none.</summary>
    internal static Version? Parse(string? text)
    {
        var parts = (text ?? "").TrimStart('v').Split('.', '-', '+');
        return parts.Length >= 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
                ? new Version(major, minor)
                : null;
    }
}
