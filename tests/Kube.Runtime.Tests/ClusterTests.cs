using System.Collections.Concurrent;
using System.Text.Json;
using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Crds;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Kube.Runtime.Tests;

/// <summary>The same things against a real API server: run when BERTH_TEST_KUBECONFIG names one. Everything happens in a namespace of its
/// own.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly string _ns = "runtime-" + Guid.NewGuid().ToString("N")[..8];
    private readonly CancellationTokenSource _stop = new(TimeSpan.FromMinutes(3));
    private KubeClient? _client;

    public async Task InitializeAsync()
    {
        if (Tools.Kubeconfig is not { } path)
        {
            return;
        }

        _client = KubeClient.Create(KubeConfig.LoadFile(path));
        await _client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = _ns } }, null, _stop.Token);
    }

    public async Task DisposeAsync()
    {
        if (_client is not null)
        {
            // Nobody is left to take the finalizers away, and a namespace waits for them for ever.
            var maps = await _client.ListPageAsync<ConfigMap>(_ns, new ListOptions { LabelSelector = "test=yes" }, CancellationToken.None);
            foreach (var map in maps.Items.Where(m => m.Metadata.Finalizers?.Count > 0))
            {
                await _client.PatchAsync<ConfigMap>(_ns, map.Metadata.Name!,
                    KubePatch.Merge("""{"metadata":{"finalizers":null}}"""u8.ToArray()), null, CancellationToken.None);
            }

            await _client.DeleteAsync<Namespace>(null, _ns, null, CancellationToken.None);
            _client.Dispose();
        }

        _stop.Dispose();
    }

    [SkippableFact]
    public async Task Controller_RealObjects_FollowsThemAndTheirChildren()
    {
        var client = Client();
        var selection = new WatcherOptions { Namespace = _ns, LabelSelector = "test=yes", PageSize = 2 };
        for (var i = 0; i < 5; i++)
        {
            await client.CreateAsync(Map($"m{i}"), null, _stop.Token);
        }

        using var informers = new InformerFactory(client, TimeProvider.System, NullLoggerFactory.Instance);
        var maps = informers.Get(new InformerOptions<ConfigMap> { Watcher = selection });
        var secrets = informers.Get(new InformerOptions<Secret> { Watcher = selection });
        using var gate = new ConsistencyGate(TimeProvider.System, [secrets]);
        var applier = new Applier(client, "runtime-tests");
        var events = new EventRecorder(client, "runtime-tests", TimeProvider.System, NullLogger<EventRecorder>.Instance);
        var deleted = new ConcurrentBag<string>();
        var writes = new ConcurrentDictionary<string, int>();
        maps.AddHandler(e =>
        {
            if (e.Kind == InformerEventKind.Deleted)
            {
                deleted.Add(e.Resource.Metadata.Name!);
            }
        });
        var controller = new ControllerBuilder<ConfigMap>(informers, new InformerOptions<ConfigMap> { Watcher = selection })
            .Owns(new InformerOptions<Secret> { Watcher = selection })
            .Build(async (key, ct) =>
            {
                if (!gate.IsReady(key))
                {
                    return ReconcileResult.After(TimeSpan.FromMilliseconds(50));
                }

                if (maps.Store.Get(key) is not { } map)
                {
                    gate.Clear(key);
                    return ReconcileResult.Done;
                }

                if (map.Metadata.DeletionTimestamp is not null)
                {
                    await Finalizers.RemoveAsync(client, map, "tests.example.com/done", ct);
                    return ReconcileResult.Done;
                }

                map = await Finalizers.AddAsync(client, map, "tests.example.com/done", ct);
                if (secrets.Store.Get(key) is null)
                {
                    writes.AddOrUpdate(key.Name, 1, (_, n) => n + 1);
                    gate.WroteAt(key, await applier.ApplyAsync(
                        new Secret
                        {
                            Metadata = OwnerReferences.SetControllerReference(
                                new ObjectMeta
                                {
                                    Namespace = _ns,
                                    Name = key.Name,
                                    Labels = new Dictionary<string,
                                    string>
                                    { ["test"] = "yes" }
                                }, map),
                        },
                        ct));
                    events.Normal(map, "Copied", "the secret was written");
                }

                return ReconcileResult.Done;
            });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var running = Task.WhenAll(informers.RunAsync(end.Token), controller.RunAsync(end.Token), events.RunAsync(end.Token));

        await Until(() => secrets.Store.Count == 5, "five secrets");
        Assert.All(writes.Values, n => Assert.Equal(1, n));
        await client.DeleteAsync<Secret>(_ns, "m1", null, _stop.Token);
        await Until(() => writes["m1"] == 2 && secrets.Store.Count == 5, "the deleted child to be written again");
        await client.DeleteAsync<ConfigMap>(_ns, "m0", null, _stop.Token);
        await Until(() => deleted.Contains("m0"), "the deletion, which the finalizer holds up");
        await Until(async () =>
            (await Events()).Any(e => e is { Reason: "Copied", InvolvedObject.Name: "m1", Count: 2 }), "the event to be counted");
        await end.CancelAsync();
        await running.WaitAsync(Patience);

        async Task<IReadOnlyList<CoreEvent>> Events() => (await client.ListPageAsync<CoreEvent>(_ns, new ListOptions(), _stop.Token)).Items;
    }

    [SkippableFact]
    public async Task LeaderElector_TwoCandidates_HandOverWithAHigherEpoch()
    {
        var client = Client();
        var options = new LeaderElectionOptions { Namespace = _ns, Name = "leader", Identity = "one" };
        using var first = new CancellationTokenSource();
        var (ledOne, runOne) = Lead(client, options, first.Token);
        Assert.Equal(0, (await ledOne.WaitAsync(Patience)).Epoch);
        using var second = new CancellationTokenSource();
        var (ledTwo, runTwo) = Lead(client, options with { Identity = "two" }, second.Token);
        await first.CancelAsync();
        await runOne.WaitAsync(Patience);
        Assert.Equal(1, (await ledTwo.WaitAsync(Patience)).Epoch);
        await second.CancelAsync();
        await runTwo.WaitAsync(Patience);
    }

    [SkippableFact]
    public async Task CrdGenerator_KindWithEverything_IsAcceptedByTheServer()
    {
        var client = Client();
        var crd = CrdGenerator.ToJson<Gadget>();
        var answer = await client.Raw.SendAsync(
            HttpMethod.Post,
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All",
            JsonSerializer.SerializeToUtf8Bytes(crd),
            "application/json",
            _stop.Token);
        Assert.Equal("gadgets.tests.example.com",
            JsonDocument.Parse(answer).RootElement.GetProperty("metadata").GetProperty("name").GetString());
    }

    private static (Task<Leadership> Led, Task Run) Lead(IKubeClient client, LeaderElectionOptions options, CancellationToken stop)
    {
        var led = new TaskCompletionSource<Leadership>(TaskCreationOptions.RunContinuationsAsynchronously);
        var run = new LeaderElector(client, options, TimeProvider.System, NullLogger<LeaderElector>.Instance).RunAsync(
            async leadership =>
            {
                led.SetResult(leadership);
                await Task.Delay(Timeout.InfiniteTimeSpan, leadership.Token);
            },
            stop);
        return (led.Task, run);
    }

    private ConfigMap Map(string name) => new()
    {
        Metadata = new ObjectMeta { Namespace = _ns, Name = name, Labels = new Dictionary<string, string> { ["test"] = "yes" } },
    };

    private KubeClient Client()
    {
        Skip.If(_client is null, "BERTH_TEST_KUBECONFIG is not set");
        return _client!;
    }

    private Task Until(Func<bool> condition, string what) => Until(() => Task.FromResult(condition()), what);

    /// <summary>A real server has a clock of its own: look again at short intervals, within a generous deadline.</summary>
    private async Task Until(Func<Task<bool>> condition, string what)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "never happened: " + what);
            await timer.WaitForNextTickAsync(_stop.Token);
        }
    }
}
