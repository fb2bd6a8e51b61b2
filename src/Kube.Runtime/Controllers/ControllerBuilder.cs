using Kube.Client;

namespace Kube.Runtime;

/// <summary>Says what a controller looks after and what gives it work.</summary>
/// <typeparam name="T">The kind it looks after; its keys are what the reconciler gets.</typeparam>
public sealed class ControllerBuilder<T>
    where T : class, IKubeResource<T>
{
    private readonly InformerFactory _informers;
    private readonly List<IControllerSource> _sources = [];
    private string _name = T.Descriptor.Kind.ToLowerInvariant();
    private ControllerOptions _options = new();

    /// <summary>Begins a controller whose informers come from a factory, so that it shares them with everything else in the
    /// process.</summary>
    /// <param name="informers">Where the informers come from.</param>
    /// <param name="options">What of the kind to watch.</param>
    /// <param name="filter">Which changes of the objects themselves count; default all.</param>
    public ControllerBuilder(InformerFactory informers, InformerOptions<T>? options = null, Func<InformerEvent<T>, bool>? filter = null)
    {
        ArgumentNullException.ThrowIfNull(informers);
        _informers = informers;
        _sources.Add(new ControllerSource<T>(informers.Get(options), static o => [o.Key()], filter));
    }

    /// <summary>Name in logs and metrics; default the kind in lower case.</summary>
    public ControllerBuilder<T> Named(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _name = name;
        return this;
    }

    /// <summary>How the controller works.</summary>
    public ControllerBuilder<T> With(ControllerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        return this;
    }

    /// <summary>Changes of children give work to the object that their controller owner reference names.</summary>
    public ControllerBuilder<T> Owns<TChild>(InformerOptions<TChild>? options = null, Func<InformerEvent<TChild>, bool>? filter = null)
        where TChild : class, IKubeResource<TChild>
        => Watches(static child => OwnerReferences.ControllerKey<T>(child) is { } owner ? [owner] : [], options, filter);

    /// <summary>Changes of another kind give work to the objects that a function names; for an update it is asked for the old and the new
    /// state.</summary>
    public ControllerBuilder<T> Watches<TOther>(
        Func<TOther, IEnumerable<ResourceKey>> map,
        InformerOptions<TOther>? options = null,
        Func<InformerEvent<TOther>, bool>? filter = null)
        where TOther : class, IKubeResource<TOther>
    {
        ArgumentNullException.ThrowIfNull(map);
        _sources.Add(new ControllerSource<TOther>(_informers.Get(options), map, filter));
        return this;
    }

    /// <summary>The controller; it does nothing before <see cref="Controller.RunAsync"/>.</summary>
    public Controller Build(IReconciler reconciler)
    {
        ArgumentNullException.ThrowIfNull(reconciler);
        return new Controller(_name, _options, [.. _sources], reconciler, _informers.Time,
            _informers.Loggers.CreateLogger("Kube.Runtime.Controller"));
    }

    /// <summary>The controller, reconciling by a function.</summary>
    public Controller Build(Func<ResourceKey, CancellationToken, Task<ReconcileResult>> reconcile)
    {
        ArgumentNullException.ThrowIfNull(reconcile);
        return Build(new FunctionReconciler(reconcile));
    }

    private sealed class FunctionReconciler(Func<ResourceKey, CancellationToken, Task<ReconcileResult>> reconcile) : IReconciler
    {
        public Task<ReconcileResult> ReconcileAsync(ResourceKey key, CancellationToken cancellationToken) =>
            reconcile(key, cancellationToken);
    }
}
