using Kube.Client;
using Kube.Client.Models;
using Kube.Runtime.Tests.Fakes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Runtime.Tests;

/// <summary>The example of the README, compiled and run.</summary>
public sealed class ExampleTests
{
    [Fact]
    public async Task Example_ConfigMap_IsCopiedToAnOwnedSecret()
    {
        var client = new FakeKubeClient();
        client.AnswerList("7", null, Objects.Map("x", "3", value: "v"));
        client.AnswerList<Secret>("7", null);
        using var stop = new CancellationTokenSource();
        var run = RunAsync(client, NullLoggerFactory.Instance, stop.Token);
        FakeRequest request;
        do
        {
            request = await client.NextRequestAsync();
        }
        while (request.Verb != "APPLY");

        Secret? copy = null;
        await Wait.UntilAsync(() => (copy = Stored(client)) is not null, "the secret");
        Assert.Equal("v", copy!.StringData!["v"]);
        Assert.Equal(new ResourceKey("a", "x"), OwnerReferences.ControllerKey<ConfigMap>(copy));
        await stop.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static Secret? Stored(FakeKubeClient client)
    {
        var task = client.TryGetAsync<Secret>("a", "x", CancellationToken.None);
        return task.IsCompletedSuccessfully ? task.GetAwaiter().GetResult() : null;
    }

    private static async Task RunAsync(IKubeClient client, ILoggerFactory loggers, CancellationToken stop)
    {
        using var informers = new InformerFactory(client, TimeProvider.System, loggers);
        var maps = informers.Get<ConfigMap>();
        var applier = new Applier(client, "copycat");

        var controller = new ControllerBuilder<ConfigMap>(informers)
            .Named("copycat")
            .Owns<Secret>()
            .Build(async (key, ct) =>
            {
                if (maps.Store.Get(key) is not { Metadata.DeletionTimestamp: null } map)
                {
                    return ReconcileResult.Done;
                }

                await applier.ApplyAsync(
                    new Secret
                    {
                        Metadata = OwnerReferences.SetControllerReference(new ObjectMeta { Namespace = key.Namespace, Name = key.Name },
                            map),
                        StringData = map.Data,
                    },
                    ct);
                return ReconcileResult.Done;
            });

        await Task.WhenAll(informers.RunAsync(stop), controller.RunAsync(stop));
    }
}
