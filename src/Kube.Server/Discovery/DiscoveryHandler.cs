using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kube.Server.Http;
using Kube.Server.Kinds;
using Microsoft.AspNetCore.Http;

namespace Kube.Server.Discovery;

/// <summary>Discovery, walked (APIGroupList, APIResourceList) and aggregated (APIGroupDiscoveryList v2, with ETag).</summary>
internal sealed class DiscoveryHandler(KindRegistry registry)
{
    private static readonly string[] Verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public async Task<bool> TryHandleAsync(HttpContext context, string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var table = registry.Table;
        JsonObject? body = parts switch
        {
            ["api"] or ["apis"] when WantsAggregated(context) is { } version =>
                await AggregatedAsync(context, table, parts[0] == "api", version).ConfigureAwait(false),
            ["api"] => new JsonObject
            {
                ["kind"] = "APIVersions",
                ["versions"] = Json.Strings(["v1"]),
                ["serverAddressByClientCIDRs"] = Addresses(context)
            },
            ["apis"] => GroupList(table),
            ["api", "v1"] => ResourceList(table, "", "v1"),
            ["apis", var group] when table.Groups.Contains(group) && group.Length > 0 => Group(table, group, top: true),
            ["apis", var group, var version] when group.Length > 0 && table.Versions(group).Contains(version) =>
                ResourceList(table, group, version),
            _ => null,
        };
        if (body is null)
        {
            return context.Response.HasStarted;
        }
        if (parts is ["api"] or ["apis"])
        {
            context.Response.Headers.Vary = "Accept";
        }
        await Answer.JsonAsync(context, 200, body).ConfigureAwait(false);
        return true;
    }

    private static string? WantsAggregated(HttpContext context)
    {
        foreach (var range in context.Request.Headers.Accept.ToString().Split(','))
        {
            if (range.Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal)
                && range.Contains("application/json", StringComparison.Ordinal))
            {
                var version = range.Split(';', StringSplitOptions.TrimEntries)
                    .FirstOrDefault(p => p.StartsWith("v=", StringComparison.Ordinal))?[2..];
                if (version is "v2" or "v2beta1")
                {
                    return version;
                }
            }
            else if (range.Trim() == "application/json")
            {
                return null;
            }
        }
        return null;
    }

    private static async Task<JsonObject?> AggregatedAsync(HttpContext context, KindTable table, bool core, string version)
    {
        var items = new JsonArray();
        foreach (var group in table.Groups.Where(g => g.Length == 0 == core))
        {
            items.Add((JsonNode)AggregatedGroup(table, group));
        }
        var bytes = Json.ToUtf8(
            new JsonObject
            {
                ["kind"] = "APIGroupDiscoveryList",
                ["apiVersion"] = "apidiscovery.k8s.io/" + version,
                ["metadata"] = new JsonObject(),
                ["items"] = items
            });
        var etag = $"\"{Convert.ToHexString(SHA512.HashData(bytes))}\"";
        context.Response.Headers.ETag = etag;
        context.Response.Headers.Vary = "Accept";
        context.Response.Headers.CacheControl = "public";
        if (context.Request.Headers.IfNoneMatch.ToString() is { Length: > 0 } known && known.Contains(etag, StringComparison.Ordinal))
        {
            context.Response.StatusCode = 304;
            await context.Response.StartAsync(context.RequestAborted).ConfigureAwait(false);
            return null;
        }
        await Answer.BytesAsync(context, 200, bytes,
            $"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList").ConfigureAwait(false);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        return null;
    }

    private static JsonObject AggregatedGroup(KindTable table, string group)
    {
        var versions = new JsonArray();
        foreach (var version in table.Versions(group))
        {
            var resources = new JsonArray();
            foreach (var kind in Served(table, group, version))
            {
                var resource = new JsonObject
                {
                    ["resource"] = kind.Plural,
                    ["responseKind"] = Gvk(kind.Group, kind.Version, kind.Kind),
                    ["scope"] = kind.Namespaced ? "Namespaced" : "Cluster",
                    ["singularResource"] = kind.Singular,
                    ["verbs"] = Json.Strings(kind.IsReview ? ["create"] : Verbs),
                };
                if (kind.ShortNames.Count > 0)
                {
                    resource["shortNames"] = Json.Strings(kind.ShortNames);
                }
                if (kind.Categories.Count > 0)
                {
                    resource["categories"] = Json.Strings(kind.Categories);
                }
                var subresources = new JsonArray();
                foreach (var (name, gvk, verbs) in Subresources(kind))
                {
                    subresources.Add(
                        (JsonNode)new JsonObject
                        {
                            ["subresource"] = name,
                            ["responseKind"] = Gvk(gvk.Group, gvk.Version, gvk.Kind),
                            ["verbs"] = Json.Strings(verbs)
                        });
                }
                if (subresources.Count > 0)
                {
                    resource["subresources"] = subresources;
                }
                resources.Add((JsonNode)resource);
            }
            versions.Add((JsonNode)new JsonObject { ["version"] = version, ["resources"] = resources, ["freshness"] = "Current" });
        }
        var metadata = group.Length == 0 ? new JsonObject() : new JsonObject { ["name"] = group };
        return new JsonObject { ["metadata"] = metadata, ["versions"] = versions };
    }

    private static JsonObject Gvk(string group, string version, string kind) =>
        new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static IEnumerable<KindInfo> Served(KindTable table, string group, string version) =>
        table.Kinds.Where(k => k.Group == group && k.Version == version && k.Plural != "scales")
            .OrderBy(k => k.Plural, StringComparer.Ordinal);

    private static IEnumerable<(string Name, (string Group, string Version, string Kind) Gvk, string[] Verbs)> Subresources(KindInfo kind)
    {
        var self = (kind.Group, kind.Version, kind.Kind);
        if (kind.HasStatus && !kind.IsReview)
        {
            yield return ("status", self, ["get", "patch", "update"]);
        }
        if (kind.Scale is not null)
        {
            yield return ("scale", ("autoscaling", "v1", "Scale"), ["get", "patch", "update"]);
        }
        if (kind is { Group: "", Kind: "Pod" })
        {
            yield return ("log", self, ["get"]);
            yield return ("binding", ("", "v1", "Binding"), ["create"]);
            yield return ("eviction", ("policy", "v1", "Eviction"), ["create"]);
        }
        if (kind is { Group: "", Kind: "Namespace" })
        {
            yield return ("finalize", self, ["update"]);
        }
    }

    private static JsonArray Addresses(HttpContext context) =>
        [(JsonNode)new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = context.Request.Host.Value }];

    private static JsonObject GroupList(KindTable table)
    {
        var groups = new JsonArray();
        foreach (var group in table.Groups.Where(g => g.Length > 0))
        {
            groups.Add((JsonNode)Group(table, group, top: false));
        }
        return new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = groups };
    }

    private static JsonObject Group(KindTable table, string group, bool top)
    {
        var versions = new JsonArray();
        foreach (var version in table.Versions(group))
        {
            versions.Add((JsonNode)new JsonObject { ["groupVersion"] = $"{group}/{version}", ["version"] = version });
        }
        var obj = new JsonObject();
        if (top)
        {
            obj["kind"] = "APIGroup";
            obj["apiVersion"] = "v1";
        }
        obj["name"] = group;
        obj["preferredVersion"] = versions[0]!.DeepClone();
        obj["versions"] = versions;
        return obj;
    }

    private static JsonObject ResourceList(KindTable table, string group, string version)
    {
        var resources = new JsonArray();
        foreach (var kind in Served(table, group, version))
        {
            var resource = new JsonObject
            {
                ["name"] = kind.Plural,
                ["singularName"] = kind.Singular,
                ["namespaced"] = kind.Namespaced,
                ["kind"] = kind.Kind,
                ["verbs"] = Json.Strings(kind.IsReview ? ["create"] : Verbs),
            };
            if (kind.ShortNames.Count > 0)
            {
                resource["shortNames"] = Json.Strings(kind.ShortNames);
            }
            if (kind.Categories.Count > 0)
            {
                resource["categories"] = Json.Strings(kind.Categories);
            }
            resources.Add((JsonNode)resource);
            foreach (var (name, gvk, verbs) in Subresources(kind))
            {
                var sub = new JsonObject
                {
                    ["name"] = $"{kind.Plural}/{name}",
                    ["singularName"] = "",
                    ["namespaced"] = kind.Namespaced,
                    ["kind"] = gvk.Kind,
                    ["verbs"] = Json.Strings(verbs)
                };
                if (gvk.Group != group)
                {
                    sub["group"] = gvk.Group;
                    sub["version"] = gvk.Version;
                }
                resources.Add((JsonNode)sub);
            }
        }
        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = resources
        };
    }
}
