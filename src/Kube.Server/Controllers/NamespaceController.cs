using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Controllers;

/// <summary>Empties a namespace that is being deleted and then removes its finalizer <c>kubernetes</c>, with which it goes.</summary>
internal sealed class NamespaceController : KeyedController
{
    private const string Finalizer = "kubernetes";

    // Pods take their grace period, others wait for finalizers: asking again a few times a second is cheap and needs no watch on every
    // kind.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    public override string Name => "namespace";

    protected override IEnumerable<(GroupResource Resource, Func<WatchEvent, IEnumerable<string>> Keys)> Sources =>
        [(GroupResource.Namespaces, step => step.Type != WatchEventType.Deleted && IsDeleting(step.Value)
            ? [step.Value.Object("metadata").Text("name")!] : [])];

    protected override async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        if (Api.Get(GroupResource.Namespaces, null, key) is not { } ns || !IsDeleting(ns))
        {
            return;
        }

        var left = 0;
        foreach (var type in Api.ResourceTypes.Where(t => t.Namespaced))
        {
            left += await EmptyAsync(type.Resource, key, cancellationToken);
        }

        if (left > 0)
        {
            EnqueueAfter(key, LookAgain);
            return;
        }

        await Api.ModifyAsync(GroupResource.Namespaces, null, key, current =>
        {
            var finalizers = current.Object("spec").Texts("finalizers");
            if (!finalizers.Contains(Finalizer))
            {
                return false;
            }

            current["spec"]!["finalizers"] = new JsonArray([.. finalizers.Where(f => f != Finalizer).Select(f => (JsonNode)f)]);
            return true;
        }, "finalize", cancellationToken: cancellationToken);
    }

    private async Task<int> EmptyAsync(GroupResource resource, string ns, CancellationToken cancellationToken)
    {
        foreach (var item in Api.List(resource, ns).Items.Where(i => !IsDeleting(i)))
        {
            var metadata = item.Object("metadata");
            try
            {
                await Api.DeleteAsync(resource, ns, metadata.Text("name")!, new DeleteOptions { PreconditionUid = metadata.Text("uid") },
                    cancellationToken);
            }
            catch (ApiException error) when (error.IsNotFound || error.Code == 409)
            {
                // Gone, or another by now: it is looked at again.
            }
        }

        return Api.List(resource, ns).Items.Count;
    }

    private static bool IsDeleting(JsonObject obj) => obj.Object("metadata").Text("deletionTimestamp") is not null;
}
