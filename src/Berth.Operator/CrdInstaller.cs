using System.Text;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>
/// <c>Berth.Operator crds --apply</c>: brings a cluster's definitions to those this program was built with. It never deletes one, and it
/// refuses where a version would go in which objects may be stored: they could not be read any more.
/// </summary>
internal static class CrdInstaller
{
    private const string FieldManager = "berth-operator-crds";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Applies them and waits until they are served.</summary>
    /// <param name="client">The cluster.</param>
    /// <param name="celRules">False for servers before Kubernetes 1.25.</param>
    /// <param name="clock">Time.</param>
    /// <param name="output">One line for each definition.</param>
    /// <param name="errors">What went wrong.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 when all are served; 1 when one was refused.</returns>
    internal static async Task<int> ApplyAsync(
        IKubeClient client, bool celRules, TimeProvider clock, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        JsonObject[] definitions =
        [
            CrdGenerator.ToJson<UserWorkspace>(celRules),
            CrdGenerator.ToJson<WorkspaceTemplate>(celRules),
            CrdGenerator.ToJson<BerthPolicy>(celRules),
        ];
        try
        {
            // All are looked at before one is changed: a cluster is not left half way.
            var problems = new List<string>();
            foreach (var definition in definitions)
            {
                problems.AddRange(await LostVersionsAsync(client, definition, cancellationToken));
            }

            foreach (var problem in problems)
            {
                await errors.WriteLineAsync(problem);
            }

            if (problems.Count > 0)
            {
                return 1;
            }

            foreach (var definition in definitions)
            {
                await ApplyAsync(client, definition, clock, cancellationToken);
                await output.WriteLineAsync($"{NameOf(definition)}: applied and served.");
            }

            return 0;
        }
        catch (Exception error) when (error is KubeException or TimeoutException)
        {
            await errors.WriteLineAsync($"The definitions could not be applied: {error.Message}");
            return 1;
        }
    }

    private static async Task<IEnumerable<string>> LostVersionsAsync(
        IKubeClient client, JsonObject definition, CancellationToken cancellationToken)
    {
        var name = NameOf(definition);
        var existing = await client.TryGetAsync<CustomResourceDefinition>(null, name, cancellationToken);
        var versions = definition["spec"]!["versions"]!.AsArray().Select(v => (string)v!["name"]!).ToHashSet(StringComparer.Ordinal);
        return (existing?.Status?.StoredVersions ?? []).Where(v => !versions.Contains(v)).Select(v =>
            $"{name} has objects stored in version {v}, which this program does not know: it is older than the cluster. "
                + "Run the newer one.");
    }

    private static async Task ApplyAsync(IKubeClient client, JsonObject definition, TimeProvider clock, CancellationToken cancellationToken)
    {
        var name = NameOf(definition);
        var path = CustomResourceDefinition.Descriptor.ObjectPath(null, name);

        // By force: the fields belong to whatever installed the definition, Helm or kubectl.
        await client.Raw.SendAsync(HttpMethod.Patch, $"{path}?fieldManager={FieldManager}&force=true",
            Encoding.UTF8.GetBytes(definition.ToJsonString()), "application/apply-patch+yaml", cancellationToken);
        var since = clock.GetTimestamp();
        while (!await IsEstablishedAsync(client, name, cancellationToken))
        {
            if (clock.GetElapsedTime(since) > Patience)
            {
                throw new TimeoutException(
                    $"{name} is not served after {Patience.TotalSeconds:0} s; kubectl describe crd {name} says why.");
            }

            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    private static async Task<bool> IsEstablishedAsync(IKubeClient client, string name, CancellationToken cancellationToken) =>
        (await client.GetAsync<CustomResourceDefinition>(null, name, cancellationToken)).Status?.Conditions is { } conditions
        && conditions.Any(c => c is { Type: "Established", Status: "True" });

    private static string NameOf(JsonObject definition) => (string)definition["metadata"]!["name"]!;
}
