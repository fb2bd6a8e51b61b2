using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>
/// The simulated API against Kube.Server: the same random calls get the same answers. A proof on an API that behaves like none would
/// prove nothing.
/// </summary>
public sealed class SimulatedApiTests
{
    private const int Calls = 1000;

    [Fact]
    public async Task RandomCalls_GetTheAnswersThatKubeServerGives()
    {
        var (kubeconfig, server, _) = await TestedApi.KubeServerAsync();
        await using var _ = server!;
        using var client = KubeClient.Create(KubeConfig.Parse(kubeconfig!));
        await InstallAsync(client);
        var simulated = new SimulatedApi(new FakeTimeProvider());
        simulated.Add(new Namespace { Metadata = new ObjectMeta { Name = "differential" } });
        await client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = "differential" } }, null, default);

        var random = new Random(20300101);
        DifferentialSide[] sides = [new(new SimulatedClient(simulated, new Wire(static _ => { }))), new(client)];
        List<string> history = [];
        for (var i = 0; i < Calls; i++)
        {
            var call = DifferentialCall.Next(random);
            var answers = new List<string>();
            foreach (var side in sides)
            {
                answers.Add(await call.RunAsync(side));
            }

            history.Add($"{call} -> {answers[0]}");
            Assert.True(
                answers[0] == answers[1],
                $"Call {i} differs.\n{string.Join('\n', history.Where(h => h.Contains($"Kind = {call.Kind}, Name = {call.Name}", StringComparison.Ordinal)).TakeLast(12))}\nsimulated:   {answers[0]}\nKube.Server: {answers[1]}");
        }

        // A sequence in which everything is refused would prove little.
        foreach (var outcome in (string[])["ok changed", "ok same", "409 Conflict", "409 AlreadyExists", "404 NotFound"])
        {
            Assert.True(history.Count(h => h.Contains(outcome, StringComparison.Ordinal)) > 20, $"Hardly ever '{outcome}'.");
        }
    }

    private static async Task InstallAsync(KubeClient client)
    {
        await client.Raw.SendAsync(
            HttpMethod.Patch,
            $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{UserWorkspace.Descriptor.Plural}.{UserWorkspace.Descriptor.Group}"
                + "?fieldManager=berth-tests&force=true",
            Encoding.UTF8.GetBytes(CrdGenerator.ToJson<UserWorkspace>().ToJsonString()),
            "application/apply-patch+yaml",
            default);
        while (!await client.IsServedAsync(UserWorkspace.Descriptor, default))
        {
            await Task.Delay(20);
        }
    }
}

/// <summary>One of the two APIs, and what was seen of it: versions and uids differ from side to side.</summary>
internal sealed class DifferentialSide(IKubeClient client)
{
    internal IKubeClient Client => client;

    internal Dictionary<string, List<ObjectMeta>> Seen { get; } = new(StringComparer.Ordinal);

    /// <summary>A version that was true at some time: the last, or an earlier one.</summary>
    internal ObjectMeta? Remembered(string kind, string name, int back) =>
        Seen.TryGetValue($"{kind}/{name}", out var seen) ? seen[^Math.Min(back + 1, seen.Count)] : null;
}

/// <summary>A call that means the same on both sides.</summary>
internal sealed record DifferentialCall(string Verb, string Kind, string Name, int A, int B, int Back)
{
    private const string Ns = "differential";

    internal static DifferentialCall Next(Random random) => new(
        random.GetItems(["create", "apply", "apply", "apply", "replace", "merge", "status", "finalizer", "unfinalize", "delete", "get"], 1)[0],
        random.GetItems(["Service", "NetworkPolicy", "UserWorkspace"], 1)[0],
        random.GetItems(["a", "b"], 1)[0],
        random.Next(4),
        random.Next(6),
        random.Next(5) == 0 ? 3 : 0);

    internal Task<string> RunAsync(DifferentialSide side) => Kind switch
    {
        "Service" => RunAsync(side, WithService, s => s.Metadata, (s, m) => s with { Metadata = m }),
        "NetworkPolicy" => RunAsync(side, WithPolicy, s => s.Metadata, (s, m) => s with { Metadata = m }),
        _ => RunAsync(side, WithWorkspace, s => s.Metadata, (s, m) => s with { Metadata = m }),
    };

    private async Task<string> RunAsync<T>(
        DifferentialSide side, Func<ObjectMeta, T> make, Func<T, ObjectMeta> metaOf, Func<T, ObjectMeta, T> with)
        where T : class, IKubeResource<T>
    {
        var remembered = side.Remembered(Kind, Name, Back);
        try
        {
            var before = await side.Client.TryGetAsync<T>(Ns, Name, default);
            var after = await DoAsync(side.Client, make, with, before, remembered);
            after ??= await side.Client.TryGetAsync<T>(Ns, Name, default);
            if (after is null)
            {
                return "ok gone";
            }

            side.Seen.TryAdd($"{Kind}/{Name}", []);
            side.Seen[$"{Kind}/{Name}"].Add(metaOf(after));
            var same = before is not null && metaOf(before).ResourceVersion == metaOf(after).ResourceVersion;
            return $"ok {(same ? "same" : "changed")} {Normal(JsonSerializer.SerializeToNode(after, T.JsonTypeInfo)!.AsObject())}";
        }
        catch (KubeException e)
        {
            return $"{e.Code} {e.Status.Reason}";
        }
    }

    private async Task<T?> DoAsync<T>(
        IKubeClient client, Func<ObjectMeta, T> make, Func<T, ObjectMeta, T> with, T? before, ObjectMeta? remembered)
        where T : class, IKubeResource<T>
    {
        var fresh = make(new ObjectMeta { Name = Name, Namespace = Ns, Labels = Map(A), Annotations = Map(B) });
        var manager = A % 2 == 0 ? "one" : "two";
        var options = new WriteOptions { FieldManager = manager, Force = B != 5 };
        switch (Verb)
        {
            case "create":
                return await client.CreateAsync(fresh, options with { Force = false }, default);
            case "apply":
                return await client.ApplyAsync(fresh, options, default);
            case "replace":
                var meta = fresh.Metadata with
                {
                    ResourceVersion = B == 4 ? null : remembered?.ResourceVersion,
                    Uid = B == 3 ? remembered?.Uid : null,
                    Finalizers = before?.Metadata.Finalizers,
                };
                return await client.ReplaceAsync(with(fresh, meta), options with { Force = false }, default);
            case "merge":
                var version = B > 2 ? $"\"resourceVersion\":\"{remembered?.ResourceVersion}\"," : "";
                var value = A == 0 ? "null" : $"\"m{A}\"";
                var patch = "{\"metadata\":{" + version + "\"labels\":{\"x" + A + "\":" + value + "}}}";
                return await client.PatchAsync<T>(Ns, Name, KubePatch.Merge(Encoding.UTF8.GetBytes(patch)), options with { Force = false }, default);
            case "status" when before is UserWorkspace w:
                var changed = w with
                {
                    Metadata = w.Metadata with { ResourceVersion = remembered?.ResourceVersion, Labels = Map(5) },
                    Spec = w.Spec with { DesiredState = DesiredStates.Stopped },
                    Status = new UserWorkspaceStatus { Phase = WorkspacePhases.Running, Message = $"m{B}" },
                };
                return (T)(object)await client.ReplaceStatusAsync(changed, options with { Force = false }, default);
            case "finalizer" when before is not null:
                return await Finalizers.AddAsync(client, before, $"berth.dev/f{A}", default);
            case "unfinalize" when before?.Metadata.Finalizers is [var first, ..]:
                await Finalizers.RemoveAsync(client, before, first, default);
                return null;
            case "delete":
                await client.DeleteAsync<T>(
                    Ns,
                    Name,
                    new DeleteOptions { Uid = B > 2 ? remembered?.Uid : null, ResourceVersion = B == 5 ? remembered?.ResourceVersion : null },
                    default);
                return null;
            default:
                return await client.TryGetAsync<T>(Ns, Name, default);
        }
    }

    private static Dictionary<string, string> Map(int seed) =>
        Enumerable.Range(0, 4).Where(i => ((seed + 1) >> i & 1) == 1).ToDictionary(i => $"x{i}", i => $"v{(seed + i) % 3}");

    private Service WithService(ObjectMeta meta) => new()
    {
        Metadata = meta,
        Spec = new ServiceSpec
        {
            Selector = Map(A),
            Ports = [.. Enumerable.Range(1, 1 + (B % 3)).Select(i => new ServicePort { Name = $"p{i}", Port = i, TargetPort = 80, Protocol = "TCP" })],
        },
    };

    private NetworkPolicy WithPolicy(ObjectMeta meta) => new()
    {
        Metadata = meta,
        Spec = new NetworkPolicySpec
        {
            PodSelector = new LabelSelector { MatchLabels = Map(B) },
            PolicyTypes = A % 2 == 0 ? ["Ingress"] : ["Egress", "Ingress"],
        },
    };

    private UserWorkspace WithWorkspace(ObjectMeta meta) => new()
    {
        Metadata = meta,
        Spec = new UserWorkspaceSpec
        {
            Owner = new WorkspaceOwner { Issuer = "https://a.example/", Subject = "s" },
            Template = new TemplateReference { Name = $"t{B % 2}" },
            DesiredState = A % 2 == 0 ? DesiredStates.Running : DesiredStates.Stopped,
            Parameters = Map(B),
            Storage = new WorkspaceStorage(),
            Sharing = B % 3 == 0 ? null : [.. Enumerable.Range(0, B).Select(i => new WorkspaceSharing { Subject = $"s{(i + A) % 4}", Role = "use" })
                .DistinctBy(s => s.Subject)],
        },
    };

    /// <summary>Without what differs by nature (versions, uids, times), and what only a server with defaults sets.</summary>
    private string Normal(JsonObject obj)
    {
        var meta = obj["metadata"]!.AsObject();
        foreach (var name in (string[])["resourceVersion", "uid", "creationTimestamp", "managedFields", "namespace", "deletionGracePeriodSeconds"])
        {
            meta.Remove(name);
        }

        if (meta.ContainsKey("deletionTimestamp"))
        {
            meta["deletionTimestamp"] = "set";
        }

        if (Kind != "UserWorkspace")
        {
            meta.Remove("generation");
        }

        if (Kind == "Service")
        {
            foreach (var name in (string[])["clusterIP", "clusterIPs", "type", "sessionAffinity", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"])
            {
                obj["spec"]!.AsObject().Remove(name);
            }

            obj.Remove("status");
        }

        return Sorted(obj)!.ToJsonString();
    }

    /// <summary>Objects in order of their names, lists with keys in order of their items, nothing empty.</summary>
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject obj => new JsonObject(obj
            .Where(p => p.Value is not (null or JsonObject { Count: 0 } or JsonArray { Count: 0 }))
            .OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted).OrderBy(i => i?.ToJsonString(), StringComparer.Ordinal)]),
        _ => node?.DeepClone(),
    };
}
