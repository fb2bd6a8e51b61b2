using System.Net;

namespace Berth.Installed.Tests;

/// <summary>What was installed, as a person sees it.</summary>
[Collection(nameof(Installation))]
public class JourneyTests(Installation berth)
{
    [SkippableFact]
    public async Task Installed_EverythingRunsAsPods()
    {
        await berth.StartAsync();

        Assert.Equal(2, (await berth.PodsAsync(berth.Operator)).Count);
        Assert.NotEmpty(await berth.PodsAsync(berth.Edge));
        Assert.NotEmpty(await berth.LeaderAsync());
        var pods = (await Installation.JsonAsync("-n", berth.Namespace, "get", "pods"))!["items"]!.AsArray();
        Assert.Contains(pods, p => (string?)p!["metadata"]!["name"] == berth.Database + "-0");
        Assert.All(pods, p => Assert.Contains((string)p!["status"]!["phase"]!, (string[])["Running", "Succeeded"]));

        // Nobody has the token of the namespace's default account.
        Assert.All(pods, p => Assert.True((string?)p!["spec"]!["serviceAccountName"] != "default"
            || (bool?)p["spec"]!["automountServiceAccountToken"] == false));
    }

    [SkippableFact]
    public async Task Person_SignsIn_TheWorkspaceAnswersByHttpAndWebSocket()
    {
        await berth.StartAsync();
        var person = await berth.NewPersonAsync("ada");

        var who = await person.EnterAsync();

        Assert.Equal("ada", (string?)who["subject"]);
        using var page = await person.VisitAsync(person.Origin + "/");
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        using var terminal = await person.OpenTerminalAsync();
        await terminal.AskAsync(42);
        Assert.Single(await berth.WorkspacePodsAsync(person));

        // Somebody else is let in nowhere.
        var other = await berth.NewPersonAsync("eve");
        using var refused = await other.VisitAsync(person.Origin + "/");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }
}
