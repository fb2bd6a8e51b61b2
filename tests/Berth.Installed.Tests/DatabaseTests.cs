using System.Collections.Concurrent;
using System.Net;

namespace Berth.Installed.Tests;

/// <summary>The account database goes away and comes back.</summary>
[Collection(nameof(Installation))]
public class DatabaseTests(Installation berth)
{
    [SkippableFact]
    public async Task Database_Killed_PeopleWhoAreSignedInGoOn_OthersGetTheMaintenancePage_AndAllRecovers()
    {
        await berth.StartAsync();
        var person = await berth.NewPersonAsync("goes-on");
        await person.EnterAsync();
        using var terminal = await person.OpenTerminalAsync();
        await terminal.AskAsync(1);

        // Kept away for as long as is needed to look: a pod alone would be back within seconds.
        var answers = new ConcurrentBag<HttpStatusCode>();
        using var stop = new CancellationTokenSource();
        var going = GoOnAsync(person, answers, stop.Token);
        await Shell.KubectlAsync("-n", berth.Namespace, "scale", "statefulset/" + berth.Database, "--replicas=0");
        await Shell.KubectlAsync("-n", berth.Namespace, "delete", "pod", berth.Database + "-0", "--grace-period=0", "--force",
            "--ignore-not-found");
        try
        {
            var stranger = berth.NewVisitor("new");
            using (var refused = await stranger.VisitAsync(Installation.Origin + "/login?return=%2Fdashboard"))
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
                Assert.Contains("new sign-ins have to wait", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            await terminal.AskAsync(2);
            var before = answers.Count;
            await Wait.UntilAsync("requests without a database", TimeSpan.FromMinutes(1),
                () => Task.FromResult(answers.Count > before + 50));
        }
        finally
        {
            await Shell.KubectlAsync("-n", berth.Namespace, "scale", "statefulset/" + berth.Database, "--replicas=1");
        }

        await Shell.KubectlAsync("-n", berth.Namespace, "rollout", "status", "statefulset/" + berth.Database, "--timeout=180s");
        await Wait.UntilAsync("sign-ins", TimeSpan.FromMinutes(1), async () =>
        {
            await berth.NewVisitor("afterwards").SignInAsync();
            return true;
        });
        await terminal.AskAsync(3);
        await stop.CancelAsync();
        await going;
        Assert.All(answers, code => Assert.Equal(HttpStatusCode.OK, code));
        await berth.DeleteWorkspaceAsync(person);
    }

    // A kill -9 of the server, the volume stays: Kubernetes brings it back by itself.
    [SkippableFact]
    public async Task DatabasesPod_Killed_ComesBackWithItsData()
    {
        await berth.StartAsync();
        var person = await berth.NewPersonAsync("remembered");
        using var before = await person.EdgeAsync("/api/me/sessions");
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        await Shell.KubectlAsync("-n", berth.Namespace, "delete", "pod", berth.Database + "-0", "--grace-period=0", "--force");
        await Shell.KubectlAsync("-n", berth.Namespace, "rollout", "status", "statefulset/" + berth.Database, "--timeout=180s");

        await Wait.UntilAsync("the sessions", TimeSpan.FromMinutes(1), async () =>
        {
            using var after = await person.EdgeAsync("/api/me/sessions");
            return after.StatusCode == HttpStatusCode.OK
                && await after.Content.ReadAsStringAsync() == await before.Content.ReadAsStringAsync();
        });
    }

    private static async Task GoOnAsync(Person person, ConcurrentBag<HttpStatusCode> answers, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using var answer = await person.GetAsync("/api/whoami");
            answers.Add(answer.StatusCode);

            // Below what the edge allows an address.
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }
}
