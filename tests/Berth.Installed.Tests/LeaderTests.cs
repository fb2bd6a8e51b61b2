using System.Text.Json.Nodes;

namespace Berth.Installed.Tests;

/// <summary>The operator that works is killed while people ask for workspaces.</summary>
[Collection(nameof(Installation))]
public class LeaderTests(Installation berth)
{
    private const int People = 6;

    [SkippableFact]
    public async Task Leader_KilledWhileWorkspacesAreAskedFor_AllStart()
    {
        await berth.StartAsync();
        var leader = await berth.LeaderAsync();
        var people = new List<Person>();
        for (var i = 0; i < People; i++)
        {
            people.Add(await berth.NewPersonAsync($"start{i}"));
        }

        // Some are asked for before the end of the leader, some while there is none.
        foreach (var person in people[..(People / 2)])
        {
            await AskAsync(person);
        }

        await Shell.KubectlAsync("-n", berth.Namespace, "delete", "pod", leader, "--grace-period=0", "--force", "--wait=false");
        foreach (var person in people[(People / 2)..])
        {
            await AskAsync(person);
        }

        foreach (var person in people)
        {
            await Wait.UntilAsync($"workspace of {person.Subject}", TimeSpan.FromMinutes(3), async () =>
                (string?)(await berth.WorkspaceAsync(person))?["status"]?["phase"] == "Running");
        }

        Assert.NotEqual(leader, await berth.LeaderAsync());
        foreach (var person in people)
        {
            Assert.Equal(person.Subject, (string?)(await person.EnterAsync())["subject"]);
            Assert.Single(await berth.WorkspacePodsAsync(person));
            await berth.DeleteWorkspaceAsync(person);
        }
    }

    private static async Task AskAsync(Person person)
    {
        using var answer = await person.VisitAsync(Installation.Origin + "/start");
        Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode == 503, $"{answer.StatusCode}");
    }
}
