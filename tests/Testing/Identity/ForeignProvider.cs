using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Testing;

/// <summary>
/// Somebody else's OpenID Provider (BERTH_TEST_IDP) behind a proxy of ours that counts and can hold or spoil answers. It rotates refresh
/// tokens always, and revokes the whole grant when an old one is used again. Access tokens are signed JWTs for <see cref="Audience"/>.
/// </summary>
public sealed partial class ForeignProvider : IAsyncDisposable
{
    public const string ClientId = "berth";
    public const string Secret = "a-secret-of-this-test";
    public const string Audience = "https://api.example.test";
    public const string SkipReason = "needs somebody else's OpenID Provider (BERTH_TEST_IDP=program that starts one)";

    private const string OwnRedirect = "http://localhost:8080/auth/callback";

    // Where edges take consents.
    private const string EdgeRedirect = "http://localhost:8080/api/auth/manager/offline-token/callback";

    private readonly Process _process;
    private readonly int _port;
    private readonly ConcurrentDictionary<string, HttpClient> _browsers = new();

    private ForeignProvider(Process process, int port, HoldingProxy proxy)
    {
        _process = process;
        _port = port;
        Proxy = proxy;
    }

    public HoldingProxy Proxy { get; }

    /// <summary>Issuer identifier: the proxy's origin.</summary>
    public string Issuer => Proxy.Origin;

    /// <summary>Starts one.</summary>
    /// <param name="accessSeconds">Life of its access tokens.</param>
    /// <param name="opaque">Whether its access tokens are for no audience and say nothing, instead of JWTs.</param>
    /// <param name="backChannelLogout">Where it tells of sign-outs; null: nowhere.</param>
    /// <returns>The provider, or null where the machine names none (<see cref="Tools.OpenIdProvider"/>): skip the test.</returns>
    public static async Task<ForeignProvider?> StartAsync(
        int accessSeconds = 3600, bool opaque = false, string? backChannelLogout = null)
    {
        if (Tools.OpenIdProvider is null)
        {
            return null;
        }

        var port = LoopbackPort.Free();
        var proxy = HoldingProxy.Start(port);
        var settings = new Dictionary<string, string>
        {
            ["PORT"] = $"{port}",
            ["ISSUER"] = proxy.Origin,
            ["CLIENT_ID"] = ClientId,
            ["CLIENT_SECRET"] = Secret,
            ["REDIRECT_URIS"] = $"{OwnRedirect},{EdgeRedirect}",
            ["AUDIENCE"] = opaque ? "" : Audience,
            ["ROTATE"] = "always",
            ["ACCESS_TTL"] = $"{accessSeconds}",
        };
        if (backChannelLogout is not null)
        {
            settings["BACKCHANNEL_URI"] = backChannelLogout;
        }

        return new ForeignProvider(await ProviderProcess.StartAsync(settings), port, proxy);
    }

    /// <summary>Signs a person in, consents, and exchanges the code, as a browser and a client would.</summary>
    public async Task<ProviderGrant> ConsentAsync(string subject)
    {
        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var back = await AuthorizeAsync(
            $"{Issuer}/auth?response_type=code&client_id={ClientId}&redirect_uri={Uri.EscapeDataString(OwnRedirect)}"
                + $"&scope=openid%20offline_access&prompt=consent&code_challenge={challenge}&code_challenge_method=S256&state=s&nonce=n",
            subject);
        var answer = await PostAsync("/token", new()
        {
            ["grant_type"] = "authorization_code",
            ["code"] = System.Web.HttpUtility.ParseQueryString(new Uri(back).Query)["code"]!,
            ["redirect_uri"] = OwnRedirect,
            ["code_verifier"] = verifier,
        });
        return new ProviderGrant((string)answer!["refresh_token"]!, (string)answer["access_token"]!);
    }

    /// <summary>Signs a person in and consents, as they would in their browser, which they keep.</summary>
    /// <param name="url">An authorization request.</param>
    /// <param name="subject">Who they say they are.</param>
    /// <returns>The address that their browser is sent back to.</returns>
    public async Task<string> AuthorizeAsync(string url, string subject)
    {
        var browser = _browsers.GetOrAdd(subject, _ => NewClient());
        var at = new Uri(url);
        var answer = await browser.GetAsync(at);
        for (var step = 0; step < 12; step++)
        {
            if (answer.Headers.Location is { } location)
            {
                answer.Dispose();
                at = new Uri(at, location);
                if (at.AbsoluteUri.StartsWith(OwnRedirect, StringComparison.Ordinal)
                    || at.AbsoluteUri.StartsWith(EdgeRedirect, StringComparison.Ordinal))
                {
                    return at.AbsoluteUri;
                }

                answer = await browser.GetAsync(at);
                continue;
            }

            var page = await answer.Content.ReadAsStringAsync();
            answer.Dispose();
            if (!Action().IsMatch(page))
            {
                throw new InvalidOperationException($"The provider asks for nothing that is known: {page}");
            }

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

    /// <summary>The person signs out at the provider, in the browser that <see cref="AuthorizeAsync"/> used.</summary>
    public async Task SignOutAsync(string subject)
    {
        var browser = _browsers[subject];
        var page = await browser.GetStringAsync($"{Issuer}/session/end");
        using var answer = await browser.PostAsync(
            new Uri(new Uri(Issuer), Action().Match(page).Groups["url"].Value),
            new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["xsrf"] = CrossSiteToken().Match(page).Groups["value"].Value,
                ["logout"] = "yes",
            }));
    }

    /// <summary>The person withdraws what they granted, at the provider (RFC 7009).</summary>
    public Task WithdrawAsync(string subject) => PostAsync("/token/revocation", new() { ["token"] = Proxy.RefreshTokens[subject] });

    /// <summary>Revokes a token (RFC 7009).</summary>
    public Task RevokeAsync(string token) => PostAsync("/token/revocation", new() { ["token"] = token });

    /// <summary>Whether it still accepts a refresh token (RFC 7662).</summary>
    public async Task<bool> IsActiveAsync(string refreshToken) =>
        (bool)(await PostAsync("/token/introspection", new() { ["token"] = refreshToken }))!["active"]!;

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await Proxy.DisposeAsync();
        foreach (var browser in _browsers.Values)
        {
            browser.Dispose();
        }
    }

    /// <summary>Whose access token this is, as it says itself.</summary>
    public static string SubjectOf(string accessToken) =>
        (string)JsonNode.Parse(Base64Url.DecodeFromChars(accessToken.Split('.')[1]))!["sub"]!;

    // Past the proxy, under its name: what is counted there are requests of those under test alone.
    private HttpClient NewClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    private async Task<JsonNode?> PostAsync(string path, Dictionary<string, string> form)
    {
        using var http = NewClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, Issuer + path) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClientId}:{Secret}")));
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode
            ? (text.Length == 0 ? null : JsonNode.Parse(text))
            : throw new InvalidOperationException($"{path} answered {answer.StatusCode}: {text}");
    }

    [GeneratedRegex("<form[^>]*action=\"(?<url>[^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"xsrf\" value=\"(?<value>[^\"]+)\"")]
    private static partial Regex CrossSiteToken();

    [GeneratedRegex("name=\"prompt\" value=\"(?<value>[a-z]+)\"")]
    private static partial Regex Prompt();
}

/// <summary>What a person granted a client.</summary>
public sealed record ProviderGrant(string RefreshToken, string AccessToken);
