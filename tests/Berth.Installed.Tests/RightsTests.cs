using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>What service accounts can do on the cluster, against the tables of docs/rbac.md.</summary>
[Collection(nameof(Installation))]
public class RightsTests(Installation berth)
{
    [SkippableFact]
    public async Task Accounts_CanDoWhatThePageSays_AndNotWhatItSaysTheyCannot()
    {
        await berth.StartAsync();
        var wrong = new List<string>();
        foreach (var (heading, answer) in (IEnumerable<(string, string)>)[("## What each can do", "yes"), ("## What none can do", "no")])
        {
            foreach (var (right, place) in Rights.Table(heading))
            {
                var said = await CanAsync(right, place);
                if (said != answer)
                {
                    wrong.Add($"{right} {place}: {said}, and the page says {answer}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // The page is whole: nothing is granted that it does not name, and nowhere more widely.
    [SkippableFact]
    public async Task Roles_GiveWhatThePageSays_AndNothingElse()
    {
        await berth.StartAsync();

        var granted = Rights.Granted(berth).Keys.ToHashSet();

        Assert.Equal(
            Rights.Table("## What each can do").Distinct().Select(Text).Order(StringComparer.Ordinal),
            granted.Select(Text).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(granted, g => g.Right.Verb.Contains('*', StringComparison.Ordinal)
            || g.Right.Resource.Contains('*', StringComparison.Ordinal));
    }

    private static string Text((Right Right, Place Place) of) => $"{of.Right.Account} {of.Right.Verb} {of.Right.Resource} {of.Place}";

    private async Task<string> CanAsync(Right right, Place place)
    {
        // Default accounts are those of workspaces.
        var user = $"system:serviceaccount:{(right.Account == "default" ? berth.Workspaces : berth.Namespace)}:{right.Account}";
        var ns = place switch
        {
            Place.Cluster => null,
            Place.Release => berth.Namespace,
            Place.Workspaces => berth.Workspaces,
            _ => "kube-system",
        };
        var (named, subresource) = right.Resource.Split('/') is [var plain, var sub] ? (plain, sub) : (right.Resource, null);
        var (resource, name) = named.Split(':') is [var kind, var one] ? (kind, one) : (named, null);
        var said = await Shell.TryKubectlAsync(null, ["auth", "can-i", right.Verb, resource + (name is null ? "" : "/" + name),
            .. subresource is null ? (string[])[] : ["--subresource", subresource],
            .. ns is null ? (string[])["--all-namespaces"] : ["-n", ns], "--as=" + user]);

        // kubectl forgets the group of kinds that the cluster does not have.
        return said.Error.Contains("doesn't have a resource type", StringComparison.Ordinal)
            ? await ReviewAsync(user, right.Verb, resource, name, subresource, ns) : said.Output.Trim();
    }

    private static async Task<string> ReviewAsync(
        string user, string verb, string resource, string? name, string? subresource, string? ns)
    {
        var parts = resource.Split('.', 2);
        var review = new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["kind"] = "SubjectAccessReview",
            ["spec"] = new JsonObject
            {
                ["user"] = user,
                ["resourceAttributes"] = new JsonObject
                {
                    ["verb"] = verb,
                    ["resource"] = parts[0],
                    ["group"] = parts.ElementAtOrDefault(1) ?? "",
                    ["name"] = name ?? "",
                    ["subresource"] = subresource ?? "",
                    ["namespace"] = ns ?? "",
                },
            },
        };
        var answer = (await Shell.TryKubectlAsync(review.ToJsonString(), "create", "-o", "json", "-f", "-")).Good("a review");
        return (bool?)JsonNode.Parse(answer)!["status"]!["allowed"] == true ? "yes" : "no";
    }
}
