using System.Net;
using System.Text.Json.Nodes;
using Berth.Studio.Hosting;
using Berth.Studio.Identity;
using Berth.Studio.Tests.Terminals;

namespace Berth.Studio.Tests.Hosting;

/// <summary>A program that was started before anybody knew whose it would be: no name, no origin.</summary>
public sealed class WaitingTests
{
    private const string Origin = "https://ws-ada.example.test";

    private static Task<StudioServer> StartAsync(string? info = null) =>
        StudioServer.StartAsync(o => o with { Name = null, Origin = null, InfoFolder = info });

    [Theory]
    [InlineData(Origin, HttpStatusCode.Created)]
    [InlineData("https://ws-eve.example.test", HttpStatusCode.Forbidden)]
    public async Task Change_ComparesTheOrigin_WithTheSignedOne(string origin, HttpStatusCode expected)
    {
        await using var server = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/files/content?path=a") { Content = new StringContent("x") };
        request.Headers.Add(IdentityVerifier.HeaderName, server.Token(("workspace", "ws-ada"), ("origin", Origin)));
        request.Headers.Add(SameOriginMiddleware.RequestHeader, "1");
        request.Headers.Add("Origin", origin);
        request.Headers.TryAddWithoutValidation("If-None-Match", "*");
        Assert.Equal(expected, (await server.Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Change_FromTheRequestsOwnHost_IsRefused_OnceASignedOriginSaysOtherwise()
    {
        await using var server = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/files");
        request.Headers.Add(IdentityVerifier.HeaderName, server.Token(("origin", Origin)));
        request.Headers.Add("Origin", server.Address.GetLeftPart(UriPartial.Authority));
        Assert.Equal(HttpStatusCode.Forbidden, (await server.Http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Name_IsTheSignedOne_OrTheFiles_OrNone()
    {
        var info = Directory.CreateTempSubdirectory("studio-info-");
        try
        {
            await using var server = await StartAsync(info.FullName);
            Assert.Equal("workspace", await NameAsync(server));
            await File.WriteAllTextAsync(Path.Combine(info.FullName, "name"), "ws-file\n");
            Assert.Equal("ws-file", await NameAsync(server));
            Assert.Equal("ws-ada", await NameAsync(server, ("workspace", "ws-ada")));
        }
        finally
        {
            info.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Shell_OfALaterTime_KnowsWhatTheFilesSay()
    {
        var info = Directory.CreateTempSubdirectory("studio-info-");
        try
        {
            await using var server = await StartAsync(info.FullName);
            await File.WriteAllTextAsync(Path.Combine(info.FullName, "name"), "ws-ada");
            await File.WriteAllTextAsync(Path.Combine(info.FullName, "url"), Origin);
            await using var terminal = await TerminalClientForTests.OpenAsync(server);
            Assert.Equal($"ws-ada {Origin}", await terminal.RunAsync("echo $WORKSPACE_NAME $WORKSPACE_URL"));
        }
        finally
        {
            info.Delete(recursive: true);
        }
    }

    private static async Task<string?> NameAsync(StudioServer server, params (string Name, string Value)[] claims)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/whoami");
        request.Headers.Add(IdentityVerifier.HeaderName, server.Token(claims));
        using var answer = await server.Http.SendAsync(request);
        return (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["workspace"];
    }
}
