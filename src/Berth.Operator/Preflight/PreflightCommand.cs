using System.Reflection;
using System.Text.Json.Nodes;
using Kube.Client;

namespace Berth.Operator.Preflight;

/// <summary>
/// <c>Berth.Operator preflight</c>: what would keep an installation of the chart from working, asked before anything is changed.
/// </summary>
internal static class PreflightCommand
{
    private const int UsageExitCode = 2;

    private const string Usage = """
        usage: Berth.Operator preflight --values FILE... [--namespace NAMESPACE] [--pull] [--json]
          --values     values of the chart, later files over earlier ones: charts/berth/values.yaml first, then your own
          --namespace  of the release; default: berth
          --pull       has nodes pull the images: makes a pod for each, and removes it
          --json       print one JSON object
        The cluster is that of KUBECONFIG or ~/.kube/config.
        """;

    /// <summary>Runs the command.</summary>
    /// <param name="args">What stands after <c>preflight</c>.</param>
    /// <param name="connect">Gives the cluster.</param>
    /// <param name="network">The network as this machine sees it.</param>
    /// <param name="output">Where results are written.</param>
    /// <param name="errors">Where problems of the command itself are written.</param>
    /// <param name="clock">Time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 when nothing failed; 1 when something did; 2 when the command or the values cannot be understood.</returns>
    public static async Task<int> RunAsync(
        string[] args,
        Func<(IKubeClient Client, Uri Server)> connect,
        IPreflightNetwork network,
        TextWriter output,
        TextWriter errors,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var (files, ns, pull, json, problem) = Read(args);
        if (problem is not null)
        {
            await errors.WriteLineAsync($"{problem}{Environment.NewLine}{Usage}");
            return UsageExitCode;
        }

        PreflightPlan plan;
        try
        {
            plan = PreflightPlan.From(ChartValues.Read(files), ns, AppVersion);
        }
        catch (OperatorConfigurationException e)
        {
            await errors.WriteLineAsync(e.Message);
            return UsageExitCode;
        }

        var (client, server) = connect();
        using var owned = client as IDisposable;
        var context = new PreflightContext(plan, client, network, clock, cancellationToken);
        var results = new List<PreflightResult>();
        await foreach (var result in AllAsync(context, server, pull))
        {
            results.Add(result);
            if (!json)
            {
                await output.WriteLineAsync(result.ToLine());
            }
        }

        var (passed, warned, failed, skipped) = (Count(PreflightOutcome.Pass), Count(PreflightOutcome.Warn),
            Count(PreflightOutcome.Fail), Count(PreflightOutcome.Skipped));
        await output.WriteLineAsync(json ? Report(results, failed)
            : $"{passed} passed, {warned} warnings, {failed} failed, {skipped} skipped");
        return failed > 0 ? 1 : 0;

        int Count(PreflightOutcome outcome) => results.Count(r => r.Outcome == outcome);
    }

    /// <summary>The version of the images where values name none: the chart's, which is the program's.</summary>
    internal static string AppVersion =>
        typeof(PreflightCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static async IAsyncEnumerable<PreflightResult> AllAsync(PreflightContext context, Uri server, bool pull)
    {
        // Names and providers are looked at in any case: what is wrong with them has nothing to do with the cluster.
        var cluster = await GuardAsync("cluster", server, async () => [await ClusterChecks.VersionAsync(context)]);
        foreach (var result in cluster)
        {
            yield return result;
        }

        List<(string Name, Func<Task<IReadOnlyList<PreflightResult>>> Run)> checks = cluster is [{ Outcome: PreflightOutcome.Fail }] ? [] :
        [
            ("clock", async () => [await ClusterChecks.ClockAsync(context, server)]),
            ("rights", async () => [await ClusterChecks.RightsAsync(context)]),
            ("definitions", async () => [await DefinitionChecks.OursAsync(context)]),
            ("traefik", () => DefinitionChecks.TraefikAsync(context)),
            ("storage", async () => [await DefinitionChecks.StorageAsync(context)]),
            ("certificates", async () => [await DefinitionChecks.CertificatesAsync(context)]),
            ("secrets", async () => [await ClusterChecks.SecretsAsync(context)]),
        ];
        checks.Add(("dns", async () => [await WorldChecks.NamesAsync(context)]));
        checks.Add(("issuers", () => WorldChecks.IssuersAsync(context)));
        if (pull && cluster is not [{ Outcome: PreflightOutcome.Fail }])
        {
            checks.Add(("images", () => ImageChecks.PullAsync(context)));
        }

        foreach (var (name, run) in checks)
        {
            foreach (var result in await GuardAsync(name, server, run))
            {
                yield return result;
            }
        }
    }

    // One check that cannot be made does not keep the others from being made.
    private static async Task<IReadOnlyList<PreflightResult>> GuardAsync(
        string name, Uri server, Func<Task<IReadOnlyList<PreflightResult>>> run)
    {
        try
        {
            return await run();
        }
        catch (KubeException e) when (e.Code is 401 or 403)
        {
            return [name == "cluster"
                ? PreflightResult.Fail(name, $"{server} refuses: {e.Message}", "credentials that may install there")
                : PreflightResult.Skip(name, $"may not be read: {e.Message}")];
        }
        catch (Exception e) when (e is KubeException or HttpRequestException or IOException)
        {
            return [PreflightResult.Fail(name, $"{server} does not answer: {e.Message}",
                "look at KUBECONFIG, its context, and the way to the cluster")];
        }
    }

    private static string Report(IReadOnlyList<PreflightResult> results, int failed) => new JsonObject
    {
        ["passed"] = results.Count(r => r.Outcome == PreflightOutcome.Pass),
        ["failed"] = failed,
        ["checks"] = new JsonArray([.. results.Select(r => (JsonNode)new JsonObject
        {
            ["name"] = r.Check,
            ["result"] = r.Outcome.ToString().ToLowerInvariant(),
            ["came"] = r.Came,
            ["remedy"] = r.Remedy,
        })]),
    }.ToJsonString();

    private static (List<string> Files, string Namespace, bool Pull, bool Json, string? Problem) Read(string[] args)
    {
        var files = new List<string>();
        var ns = "berth";
        bool pull = false, json = false;
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--pull":
                    pull = true;
                    break;
                case "--json":
                    json = true;
                    break;
                case "--values" or "--namespace" when i + 1 == args.Length || args[i + 1].Length == 0:
                    return (files, ns, pull, json, $"{args[i]} needs a value.");
                case "--values":
                    files.Add(args[++i]);
                    break;
                case "--namespace":
                    ns = args[++i];
                    break;
                default:
                    return (files, ns, pull, json, $"'{args[i]}' is no option of preflight.");
            }
        }

        return (files, ns, pull, json, files.Count == 0 ? "--values is missing." : null);
    }
}
