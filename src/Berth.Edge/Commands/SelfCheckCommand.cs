using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json.Nodes;

namespace Berth.Edge;

/// <summary>
/// <c>Berth.Edge selfcheck URL</c>: fires the requests by which products like this one were broken into at a deployment, and says which it
/// withstands. Nothing is changed there, whatever it answers: docs/selfcheck.md.
/// </summary>
internal static class SelfCheckCommand
{
    private const string Usage = """
        Usage: Berth.Edge selfcheck URL [--workspace URL] [--token TOKEN] [--cookie COOKIES] [--workspace-cookie COOKIES]
                                        [--connect HOST:PORT] [--timeout SECONDS] [--insecure] [--json]
          URL                 origin of the edge, such as https://berth.example.com
          --workspace         address of a workspace
          --token             access token that the edge accepts
          --cookie            Cookie header of a browser that is signed in at the edge
          --workspace-cookie  the same for the workspace
          --connect           connect there, whatever the addresses say
          --timeout           longest wait for an answer, 1 to 60; default 5
          --insecure          take a certificate that nobody vouches for
          --json              print one JSON object
        A value that begins with @ names a file that holds it; processes see each other's arguments.
        """;

    private static readonly string[] Valued =
        ["--workspace", "--token", "--cookie", "--workspace-cookie", "--connect", "--timeout"];

    /// <summary>Runs the command.</summary>
    /// <param name="args">What stands after <c>selfcheck</c>.</param>
    /// <param name="output">Where the results are written, one line a check.</param>
    /// <param name="errors">Where problems of the command itself are written.</param>
    /// <param name="clock">For time limits.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 when all checks that could be made passed; 1 when one failed; 2 when the command cannot be understood or the edge not be
    /// reached.</returns>
    public static async Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter errors, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (target, json, problem) = await ReadAsync(args, cancellationToken).ConfigureAwait(false);
        if (target is null)
        {
            await errors.WriteLineAsync(problem).ConfigureAwait(false);
            return 2;
        }

        var results = new List<(SelfCheck Check, SelfCheckVerdict Verdict)>();
        try
        {
            if (!await AnswersAsync(target, clock, cancellationToken).ConfigureAwait(false))
            {
                await errors.WriteLineAsync($"{target.Edge} does not answer GET /tos with a page; is it the edge, and "
                    + "ready?").ConfigureAwait(false);
                return 2;
            }

            foreach (var check in SelfCheck.All)
            {
                var verdict = target.Missing(check.Needs) is not 0 and var missing ? SelfCheckVerdict.Skip($"needs {Options(missing)}")
                    : await check.RunAsync(new SelfCheckProbe(target, check.Name, clock, cancellationToken)).ConfigureAwait(false);
                results.Add((check, verdict));
                if (!json)
                {
                    await output.WriteLineAsync(Line(check, verdict)).ConfigureAwait(false);
                }
            }

            // A dead server refuses everything.
            if (!await AnswersAsync(target, clock, cancellationToken).ConfigureAwait(false))
            {
                await errors.WriteLineAsync($"{target.Edge} stopped answering meanwhile; the results say nothing.").ConfigureAwait(false);
                return 2;
            }
        }
        catch (Exception error) when (error is SocketException or AuthenticationException)
        {
            await errors.WriteLineAsync($"{target.Edge} cannot be reached: {error.Message}").ConfigureAwait(false);
            return 2;
        }

        await output.WriteLineAsync(json ? Document(target, results).ToJsonString() : Totals(results)).ConfigureAwait(false);
        return results.Exists(r => r.Verdict.Passed == false) ? 1 : 0;
    }

    private static async Task<(SelfCheckTarget? Target, bool Json, string? Problem)> ReadAsync(
        string[] args, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 1; i < args.Length; i++)
        {
            var isFlag = args[i] is "--insecure" or "--json";
            if ((!isFlag && (!Valued.Contains(args[i]) || i + 1 >= args.Length)) || values.ContainsKey(args[i]))
            {
                return (null, false, Usage);
            }

            values[args[i]] = isFlag ? "" : args[i + 1];
            i += isFlag ? 0 : 1;
        }

        if (args.Length == 0 || SelfCheckTarget.Address(args[0]) is not { AbsolutePath: "/" } edge)
        {
            return (null, false, args.Length == 0 ? Usage : $"'{args[0]}' is not an origin such as https://berth.example.com.\n{Usage}");
        }

        foreach (var name in (string[])["--token", "--cookie", "--workspace-cookie"])
        {
            if (values.GetValueOrDefault(name) is ['@', .. var file])
            {
                if (!File.Exists(file))
                {
                    return (null, false, $"{name} names the file '{file}', which is not there.");
                }

                values[name] = (await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).Trim();
            }

            if (values.GetValueOrDefault(name) is { } secret && (secret.Length == 0 || secret.Any(c => c is < ' ' or > '~')))
            {
                return (null, false, $"{name} is empty or holds characters that no header has.");
            }
        }

        var (at, to) = (values.GetValueOrDefault("--workspace"), values.GetValueOrDefault("--connect"));
        var workspace = at is null ? null : SelfCheckTarget.Address(at);
        var connect = to is null ? null : SelfCheckTarget.HostAndPort(to);
        var seconds = 5;
        if (at is not null && workspace is null)
        {
            return (null, false, $"--workspace is '{at}'; give an address such as https://ws-one.workspaces.example.dev.");
        }

        if (to is not null && connect is null)
        {
            return (null, false, $"--connect is '{to}'; give a host and a port such as 10.0.0.1:443.");
        }

        if (values.GetValueOrDefault("--timeout") is { } t && (!int.TryParse(t, out seconds) || seconds is < 1 or > 60))
        {
            return (null, false, $"--timeout is '{t}'; give 1 to 60 seconds.");
        }

        return (new SelfCheckTarget
        {
            Edge = edge,
            Workspace = workspace,
            Token = values.GetValueOrDefault("--token"),
            Cookie = values.GetValueOrDefault("--cookie"),
            WorkspaceCookie = values.GetValueOrDefault("--workspace-cookie"),
            Connect = connect,
            Insecure = values.ContainsKey("--insecure"),
            Timeout = TimeSpan.FromSeconds(seconds),
        }, values.ContainsKey("--json"), null);
    }

    private static async Task<bool> AnswersAsync(SelfCheckTarget target, TimeProvider clock, CancellationToken cancellationToken) =>
        (await new SelfCheckProbe(target, "reachable", clock, cancellationToken).GetAsync("/tos").ConfigureAwait(false)).Status == 200;

    private static string Options(SelfCheckNeeds missing) => string.Join(" and ", new[]
    {
        (SelfCheckNeeds.Token, "--token"), (SelfCheckNeeds.Workspace, "--workspace"), (SelfCheckNeeds.Cookie, "--cookie"),
        (SelfCheckNeeds.WorkspaceCookie, "--workspace-cookie"),
    }.Where(n => missing.HasFlag(n.Item1)).Select(n => n.Item2));

    private static string Word(SelfCheckVerdict verdict) => verdict.Passed switch { true => "pass", false => "FAIL", null => "skipped" };

    private static string Line(SelfCheck check, SelfCheckVerdict verdict) => verdict.Passed switch
    {
        true => $"pass {check.Name} – expected {check.Expected}; came {Printable(verdict.Came)}",
        false => $"FAIL {check.Name} – expected {check.Expected}; came {Printable(verdict.Came)}; remedy: {check.Remedy}",
        null => $"skipped {check.Name} – expected {check.Expected}; {Printable(verdict.Came)}",
    };

    private static string Totals(List<(SelfCheck Check, SelfCheckVerdict Verdict)> results) =>
        $"{results.Count(r => r.Verdict.Passed == true)} passed, {results.Count(r => r.Verdict.Passed == false)} failed, "
        + $"{results.Count(r => r.Verdict.Passed is null)} skipped";

    private static JsonObject Document(SelfCheckTarget target, List<(SelfCheck Check, SelfCheckVerdict Verdict)> results) => new()
    {
        ["url"] = target.Edge.GetLeftPart(UriPartial.Authority),
        ["checks"] = new JsonArray([.. results.Select(r => (JsonNode)new JsonObject
        {
            ["name"] = r.Check.Name,
            ["result"] = Word(r.Verdict),
            ["expected"] = r.Check.Expected,
            ["came"] = Printable(r.Verdict.Came),
            ["remedy"] = r.Verdict.Passed == false ? r.Check.Remedy : null,
        })]),
        ["passed"] = results.Count(r => r.Verdict.Passed == true),
        ["failed"] = results.Count(r => r.Verdict.Passed == false),
        ["skipped"] = results.Count(r => r.Verdict.Passed is null),
    };

    // The other side wrote it: no control characters into somebody's terminal.
    private static string Printable(string text) => QueryParameters.ForLog(text);
}
