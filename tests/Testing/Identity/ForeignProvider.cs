using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Testing;

/// <summary>
/// Somebody else's OpenID Provider (BERTH_TEST_IDP) behind a proxy of ours that counts and can hold or spoil answers. It rotates refresh
/// tokens always, and revokes the whole grant when an old one is used again.
/// </summary>
public sealed partial class ForeignProvider : IAsyncDisposable
{
    public const string ClientId = "berth";
    public const string Secret = "a-secret-of-this-test";
    public const string SkipReason = "needs somebody else's OpenID Provider (BERTH_TEST_IDP=program that starts one)";
    private const string Redirect = "http://localhost:8080/auth/callback";
    private readonly Process _process;
    private readonly int _port;

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
    /// <returns>The provider, or null where the machine names none (<see cref="Tools.OpenIdProvider"/>): skip the test.</returns>
    public static async Task<ForeignProvider?> StartAsync(int accessSeconds = 3600)
    {
        if (Tools.OpenIdProvider is null)
        {
            return null;
        }

        var port = FreePort();
        var proxy = HoldingProxy.Start(port);
        var info = new ProcessStartInfo(Tools.OpenIdProvider) { RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["PORT"] = $"{port}";
        info.Environment["ISSUER"] = proxy.Origin;
        info.Environment["CLIENT_SECRET"] = Secret;
        info.Environment["REDIRECT_URIS"] = Redirect;
        info.Environment["ROTATE"] = "always";
        info.Environment["ACCESS_TTL"] = $"{accessSeconds}";
        var process = Process.Start(info)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                // Read on, so that it does not block at a full pipe.
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return new ForeignProvider(process, port, proxy);
            }
        }

        throw new InvalidOperationException("The OpenID Provider did not start.");
    }

    /// <summary>Signs a person in, consents, and exchanges the code, as a browser and a client would.</summary>
    public async Task<ProviderGrant> ConsentAsync(string subject)
    {
        var cookies = new CookieContainer();

        // Past the proxy, under its name: what is counted there are the vault's requests alone.
        using var http = new HttpClient(new SocketsHttpHandler
        {
            CookieContainer = cookies,
            AllowAutoRedirect = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var verifier = System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var challenge = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var at = new Uri($"{Proxy.Origin}/auth?response_type=code&client_id=berth&redirect_uri={Uri.EscapeDataString(Redirect)}"
            + $"&scope=openid%20offline_access&prompt=consent&code_challenge={challenge}&code_challenge_method=S256&state=s&nonce=n");
        var answer = await http.GetAsync(at);
        for (var step = 0; step < 12; step++)
        {
            if (answer.Headers.Location is { } location)
            {
                at = new Uri(at, location);
                if (at.AbsoluteUri.StartsWith(Redirect, StringComparison.Ordinal))
                {
                    answer.Dispose();
                    var code = System.Web.HttpUtility.ParseQueryString(at.Query)["code"]!;
                    return await ExchangeAsync(http, code, verifier);
                }

                answer.Dispose();
                answer = await http.GetAsync(at);
                continue;
            }

            var page = await answer.Content.ReadAsStringAsync();
            answer.Dispose();
            var action = new Uri(at, Action().Match(page).Groups["url"].Value);
            var form = new Dictionary<string, string> { ["prompt"] = Prompt().Match(page).Groups["value"].Value };
            if (form["prompt"] == "login")
            {
                form["login"] = subject;
                form["password"] = "any";
            }

            at = action;
            answer = await http.PostAsync(action, new FormUrlEncodedContent(form));
        }

        throw new InvalidOperationException("The provider did not come back.");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await Proxy.DisposeAsync();
    }

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private async Task<ProviderGrant> ExchangeAsync(HttpClient http, string code, string verifier)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Proxy.Origin + "/token")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "authorization_code",
                ["code"] = code,
                ["redirect_uri"] = Redirect,
                ["code_verifier"] = verifier,
            }),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"berth:{Secret}")));
        using var answer = await http.SendAsync(request);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return new ProviderGrant(
            json.RootElement.GetProperty("refresh_token").GetString()!, json.RootElement.GetProperty("access_token").GetString()!);
    }

    [GeneratedRegex("<form[^>]*action=\"(?<url>[^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"prompt\" value=\"(?<value>[a-z]+)\"")]
    private static partial Regex Prompt();
}

/// <summary>What a person granted a client.</summary>
public sealed record ProviderGrant(string RefreshToken, string AccessToken);
