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

        Assert.Empty(wrong);
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
        // An account of a workspace's pod is one of its namespace.
        var home = right.Account is "default" or "workspace" ? berth.Workspaces : berth.Namespace;
        string[] where = place switch
        {
            Place.Cluster => ["--all-namespaces"],
            Place.Release => ["-n", berth.Namespace],
            Place.Workspaces => ["-n", berth.Workspaces],
            _ => ["-n", "kube-system"],
        };
        var (resource, subresource) = right.Resource.Split('/') is [var plain, var sub] ? (plain, sub) : (right.Resource, null);
        resource = resource.Replace(':', '/');
        return (await Shell.TryKubectlAsync(null, ["auth", "can-i", right.Verb, resource,
            .. subresource is null ? (string[])[] : ["--subresource", subresource],
            .. where, $"--as=system:serviceaccount:{home}:{right.Account}"])).Output.Trim();
    }
}
