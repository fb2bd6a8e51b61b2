using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Testing;

namespace Berth.Edge.Tests.VaultProxy;

/// <summary>
/// Somebody else's OpenID Provider (BERTH_TEST_IDP), which rotates refresh tokens always, behind a listener of ours that notes what its
/// token endpoint gave. Access tokens are signed JWTs for <see cref="Audience"/>.
/// </summary>
internal sealed partial class RealProvider : IAsyncDisposable
{
    public const string ClientId = "berth";
    public const string Secret = "a-secret-of-this-test";
    public const string Audience = "https://profiles.example.test";

    private readonly Process _process;
    private readonly WebApplication _front;
    private readonly HttpClient _behind;
    private readonly ConcurrentDictionary<string, HttpClient> _browsers = new();
    private int _refreshes;

    private RealProvider(Process process, WebApplication front, HttpClient behind)
    {
        _process = process;
        _front = front;
        _behind = behind;
    }

    public string Issuer { get; private set; } = "";

    /// <summary>Token requests with a refresh token that were answered with 200.</summary>
    public int Refreshes => _refreshes;

    /// <summary>Newest refresh token that it gave, by the subject of the access token that came with it.</summary>
    public ConcurrentDictionary<string, string> RefreshTokens { get; } = new();

    public static async Task<RealProvider> StartAsync(int accessSeconds = 3600)
    {
        Skip.If(Tools.OpenIdProvider is null, "needs somebody else's OpenID Provider (BERTH_TEST_IDP=program that starts one)");
        var port = FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var front = builder.Build();
        var behind = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        };
        RealProvider? provider = null;
        front.Run(context => provider!.ForwardAsync(context));
        await front.StartAsync();
        var info = new ProcessStartInfo(Tools.OpenIdProvider!) { RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["PORT"] = $"{port}";
        info.Environment["ISSUER"] = front.Urls.Single();
        info.Environment["CLIENT_ID"] = ClientId;
        info.Environment["CLIENT_SECRET"] = Secret;
        info.Environment["REDIRECT_URIS"] = ProductFixture.Origin + ConsentFlow.CallbackPath;
        info.Environment["AUDIENCE"] = Audience;
        info.Environment["ROTATE"] = "always";
        info.Environment["ACCESS_TTL"] = $"{accessSeconds}";
        var process = Process.Start(info)!;
        provider = new RealProvider(process, front, behind) { Issuer = front.Urls.Single() };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                // Read on, so that it does not block at a full pipe.
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return provider;
            }
        }

        throw new InvalidOperationException("The OpenID Provider did not start.");
    }

    /// <summary>Signs a person in and consents, as they would in their browser.</summary>
    /// <returns>The address that their browser is sent back to.</returns>
    public async Task<string> ConsentAsync(string url, string subject)
    {
        var browser = _browsers.GetOrAdd(subject, _ => new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }));
        var at = new Uri(url);
        var answer = await browser.GetAsync(at);
        for (var step = 0; step < 12; step++)
        {
            if (answer.Headers.Location is { } location)
            {
                answer.Dispose();
                at = new Uri(at, location);
                if (at.AbsolutePath == ConsentFlow.CallbackPath)
                {
                    return at.AbsoluteUri;
                }

                answer = await browser.GetAsync(at);
                continue;
            }

            var page = await answer.Content.ReadAsStringAsync();
            answer.Dispose();
            Assert.True(Action().IsMatch(page), page);
            at = new Uri(at, Action().Match(page).Groups["url"].Value);
            var form = new Dictionary<string, string> { ["prompt"] = Prompt().Match(page).Groups["value"].Value };
            if (form["prompt"] == "login")
            {
                form["login"] = subject;
                form["password"] = "any";
            }

            answer = await browser.PostAsync(at, new FormUrlEncodedContent(form));
        }

        throw new InvalidOperationException("The provider did not come back.");
    }

    /// <summary>The person withdraws what they granted, at the provider (RFC 7009).</summary>
    public async Task RevokeAsync(string subject)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer + "/token/revocation")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = RefreshTokens[subject] }),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Secret}")));
        using var answer = await _behind.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>Whether it still accepts a refresh token (introspection, RFC 7662).</summary>
    public async Task<bool> IsActiveAsync(string refreshToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer + "/token/introspection")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = refreshToken }),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Secret}")));
        using var answer = await _behind.SendAsync(request);
        return (bool)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["active"]!;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _front.DisposeAsync();
        _behind.Dispose();
        foreach (var browser in _browsers.Values)
        {
            browser.Dispose();
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task ForwardAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method), context.Request.Path + context.Request.QueryString.Value);
        if (body.Length > 0)
        {
            request.Content = new ByteArrayContent(body.ToArray());
        }

        foreach (var (name, values) in context.Request.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
            }
        }

        using var answer = await _behind.SendAsync(request, context.RequestAborted);
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        if (context.Request.Path == "/token" && answer.IsSuccessStatusCode)
        {
            Note(Encoding.ASCII.GetString(body.ToArray()), bytes);
        }

        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (name is not ("Transfer-Encoding" or "Content-Length" or "Connection" or "Keep-Alive"))
            {
                context.Response.Headers.Append(name, values.ToArray());
            }
        }

        await context.Response.Body.WriteAsync(bytes);
    }

    private void Note(string form, byte[] answer)
    {
        var tokens = JsonNode.Parse(answer)!;
        if ((string?)tokens["refresh_token"] is { } refreshToken)
        {
            RefreshTokens[Jwt.Claims((string)tokens["access_token"]!).GetProperty("sub").GetString()!] = refreshToken;
        }

        if (form.Contains("grant_type=refresh_token", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _refreshes);
        }
    }

    [GeneratedRegex("<form[^>]*action=\"(?<url>[^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"prompt\" value=\"(?<value>[a-z]+)\"")]
    private static partial Regex Prompt();
}
