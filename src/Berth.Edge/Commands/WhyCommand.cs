using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;

namespace Berth.Edge;

/// <summary><c>Berth.Edge why ID URL</c>: asks an edge what became of a request.</summary>
internal static class WhyCommand
{
    private const string Usage = """
        Usage: Berth.Edge why ID URL --token TOKEN [--connect HOST:PORT] [--json]
          ID         of the request: X-Request-Id of its answer, on its page, in the log
          URL        origin of the edge, such as https://berth.example.com
          --token    an administrator's access token, or @ and the name of a file that holds it
          --connect  connect there, whatever the address says: to the replica that the id begins with
        """;

    /// <summary>Runs the command.</summary>
    /// <param name="args">What stands after <c>why</c>.</param>
    /// <param name="output">Where the answer is written, one line a fact.</param>
    /// <param name="errors">Where problems are written.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 when the edge knew; 1 when it did not, or would not say; 2 when the command cannot be understood or nobody
    /// answers.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var rest = args.Length > 2 ? args[2..].Where(a => a != "--json").ToArray() : [];
        for (var i = 0; i + 1 < rest.Length; i += 2)
        {
            values[rest[i]] = rest[i + 1];
        }

        var connect = values.GetValueOrDefault("--connect") is { } to ? SelfCheckTarget.HostAndPort(to) : null;
        if (args.Length < 4 || rest.Length % 2 != 0 || values.Keys.Any(k => k is not ("--token" or "--connect"))
            || RequestIds.ReplicaOf(args[0]) is null || SelfCheckTarget.Address(args[1]) is not { AbsolutePath: "/" } edge
            || !values.TryGetValue("--token", out var token) || (values.ContainsKey("--connect") && connect is null))
        {
            await errors.WriteLineAsync(Usage).ConfigureAwait(false);
            return 2;
        }

        try
        {
            token = token is ['@', .. var file] ? (await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).Trim()
                : token;
            using var client = new HttpClient(Handler(connect)) { BaseAddress = edge, Timeout = TimeSpan.FromSeconds(15) };
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var answer = await client.GetAsync(new Uri($"/api/requests/{args[0]}", UriKind.Relative), cancellationToken)
                .ConfigureAwait(false);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            var known = answer.StatusCode == HttpStatusCode.OK;
            await (known ? output : errors).WriteLineAsync(args.Contains("--json") ? text : Lines(text, known)).ConfigureAwait(false);
            return known ? 0 : 1;
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException or FormatException or JsonException
            or TaskCanceledException)
        {
            await errors.WriteLineAsync($"{edge} could not be asked: {error.Message}").ConfigureAwait(false);
            return 2;
        }
    }

    private static string Lines(string text, bool known)
    {
        using var document = JsonDocument.Parse(text);
        return known
            ? string.Join(Environment.NewLine, document.RootElement.EnumerateObject().Select(p =>
                $"{p.Name,-18} {QueryParameters.ForLog(p.Value.ToString())}"))
            : document.RootElement.TryGetProperty("detail", out var detail) ? QueryParameters.ForLog(detail.ToString())
                : "The edge would not say.";
    }

    private static SocketsHttpHandler Handler((string Host, int Port)? connect) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectCallback = connect is not { } to ? null : async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(to.Host, to.Port, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                socket.Dispose();
                throw;
            }

            return new NetworkStream(socket, ownsSocket: true);
        },
    };
}
