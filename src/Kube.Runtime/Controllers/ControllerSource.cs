using Kube.Client;

namespace Kube.Runtime;

/// <summary>Something whose changes give a controller work.</summary>
internal interface IControllerSource
{
    IInformer Informer { get; }

    IInformerHandler Start(Action<ResourceKey> enqueue);
}

/// <summary>Maps the changes of one kind to the keys of the controller's kind.</summary>
internal sealed class ControllerSource<T>(
    SharedInformer<T> informer, Func<T, IEnumerable<ResourceKey>> map, Func<InformerEvent<T>, bool>? filter) : IControllerSource
    where T : class, IKubeResource<T>
{
    public IInformer Informer => informer;

    public IInformerHandler Start(Action<ResourceKey> enqueue) => informer.AddHandler(e =>
    {
        if (filter is not null && !filter(e))
        {
            return;
        }

        // What an object pointed to before a change needs a look as much as what it points to now.
        foreach (var key in e.Old is { } old ? map(old).Concat(map(e.Resource)).Distinct() : map(e.Resource))
        {
            enqueue(key);
        }
    });
}
