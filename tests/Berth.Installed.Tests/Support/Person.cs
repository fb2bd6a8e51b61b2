using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Berth.Resources;
using Testing;

namespace Berth.Installed.Tests;

/// <summary>Somebody with a browser, who comes through the edge's Service.</summary>
internal sealed partial class Person(Installation berth, string subject)
{
    private readonly Browser _browser = new(berth.NewHandler());

    public string Subject => subject;

    /// <summary>Name of their default workspace.</summary>
    public string Workspace => WorkspaceNames.ForOwner(Provider.Issuer, subject);

    /// <summary>Their workspace's origin.</summary>
    public string Origin => $"http://{Workspace}.{Installation.Domain}";

    /// <summary>Follows an address, and what the provider asks on the way; the caller disposes the answer.</summary>
    public async Task<HttpResponseMessage> VisitAsync(string url)
    {
        var answer = await _browser.FollowAsync(url);
        for (var step = 0; step < 8 && answer.RequestMessage!.RequestUri!.Host == Provider.Host; step++)
        {
            var page = await answer.Content.ReadAsStringAsync();
            var action = Action().Match(page);
            if (!action.Success)
            {
                throw new InvalidOperationException($"The provider says: {page}");
            }

            var form = new Dictionary<string, string> { ["prompt"] = Prompt().Match(page).Groups["value"].Value };
            if (form["prompt"] == "login")
            {
                (form["login"], form["password"]) = (subject, "any");
            }

            var at = new Uri(answer.RequestMessage.RequestUri, action.Groups["url"].Value);
            answer.Dispose();
            using var content = new FormUrlEncodedContent(form);
            answer = await _browser.SendAsync(at.AbsoluteUri, HttpMethod.Post, content);
            if (answer.Headers.Location is { } location)
            {
                answer.Dispose();
                answer = await _browser.FollowAsync(new Uri(at, location).AbsoluteUri);
            }
        }

        return answer;
    }

    /// <summary>Signs in, to a page that makes no workspace.</summary>
    public async Task SignInAsync()
    {
        using var answer = await VisitAsync(Installation.Origin + "/login?return=%2Fdashboard");
        if (answer.StatusCode != HttpStatusCode.OK || answer.RequestMessage!.RequestUri!.AbsolutePath != "/dashboard")
        {
            throw new InvalidOperationException(
                $"{answer.RequestMessage!.RequestUri} answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>Asks for the default workspace and stays until its application answers.</summary>
    public async Task<JsonNode> EnterAsync(TimeSpan? within = null)
    {
        JsonNode? who = null;
        using (await VisitAsync(Installation.Origin + "/start"))
        {
        }

        await Wait.UntilAsync($"workspace {Workspace} of {subject}", within ?? TimeSpan.FromMinutes(3), async () =>
        {
            using var page = await VisitAsync(Origin + "/");
            using var answer = await GetAsync("/api/whoami");
            if (answer.StatusCode == HttpStatusCode.OK && answer.Content.Headers.ContentType?.MediaType == "application/json")
            {
                who = JsonNode.Parse(await answer.Content.ReadAsStringAsync());
            }

            return who is not null;
        });
        return who!;
    }

    /// <summary>A request of a script on the workspace's page.</summary>
    public Task<HttpResponseMessage> GetAsync(string path) => _browser.GetAsync(Origin + path, ("Accept", "application/json"));

    /// <summary>A request to the edge itself.</summary>
    public Task<HttpResponseMessage> EdgeAsync(string path) =>
        _browser.GetAsync(Installation.Origin + path, ("Accept", "application/json"));

    /// <summary>stop, start or restart, as the dashboard asks for it.</summary>
    public Task CommandAsync(string command) => ChangeAsync(HttpMethod.Post, $"/api/workspaces/{Workspace}/{command}");

    /// <summary>Deletes the workspace, as the dashboard asks for it.</summary>
    public Task DeleteAsync() => ChangeAsync(HttpMethod.Delete, $"/api/workspaces/{Workspace}");

    /// <summary>A terminal in the workspace, a new one or one that was left.</summary>
    public async Task<Terminal> OpenTerminalAsync(string? id = null)
    {
        var socket = await _browser.ConnectAsync(
            $"ws{Origin[4..]}/api/terminal" + (id is null ? "" : "?id=" + id), Origin);
        return socket.State == WebSocketState.Open
            ? await Terminal.BeginAsync(socket)
            : throw new InvalidOperationException($"The WebSocket was answered {socket.HttpStatusCode}.");
    }

    private async Task ChangeAsync(HttpMethod method, string path)
    {
        using var answer = await _browser.SendAsync(
            Installation.Origin + path, method, headers: [("Accept", "application/json"), ("Origin", Installation.Origin)]);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path} answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    [GeneratedRegex("<form[^>]*action=\"(?<url>[^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"prompt\" value=\"(?<value>[a-z]+)\"")]
    private static partial Regex Prompt();
}
