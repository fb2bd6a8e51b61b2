using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Testing;

namespace Berth.Installed.Tests;

/// <summary>
/// Somebody else's OpenID Provider (BERTH_TEST_IDP) on this machine, which pods reach by a name of their hosts file: an issuer without TLS
/// is taken for hosts below localhost only.
/// </summary>
internal sealed class Provider : IAsyncDisposable
{
    public const string Host = "idp.localhost";

    /// <summary>Client of <c>values-dev.yaml</c>.</summary>
    private const string ClientId = "berth";
    private const string ClientSecret = "berth-secret";

    /// <summary>Where <c>values-dev.yaml</c> says that it is.</summary>
    public const int Port = 4500;

    private readonly Process _process;
    private readonly TcpListener _listener;

    private Provider(Process process)
    {
        _process = process;
        _listener = new TcpListener(IPAddress.Parse(Given.HostAddress), Port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public static string Issuer => $"http://{Host}:{Port}";

    public static async Task<Provider> StartAsync(string origin)
    {
        Skip.If(Tools.OpenIdProvider is null, ForeignProvider.SkipReason);
        return new Provider(await ProviderProcess.StartAsync(new Dictionary<string, string>
        {
            ["PORT"] = $"{Port}",
            ["ISSUER"] = Issuer,
            ["CLIENT_ID"] = ClientId,
            ["CLIENT_SECRET"] = ClientSecret,
            ["REDIRECT_URIS"] = $"{origin}/auth/callback",
            ["POST_LOGOUT_URIS"] = $"{origin}/",
            ["AUDIENCE"] = origin,
        }));
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    // It listens on the loopback address alone, where pods do not come.
    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = PassAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The end.
        }
    }

    private static async Task PassAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, Port);
            await using var near = new NetworkStream(client, ownsSocket: true);
            await using var far = new NetworkStream(server);
            await Task.WhenAny(near.CopyToAsync(far), far.CopyToAsync(near));
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            client.Dispose();
        }
    }
}
