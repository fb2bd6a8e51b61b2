using System.Text.Json;
using Kube.Client;

namespace Kube.Runtime;

/// <summary>Server-side apply under one stable manager name: the API keeps count of who owns which field.</summary>
/// <remarks>
/// Give only the fields you own: a field left out that you owned alone is removed. Conflicts are forced, because a controller that
/// backs off from its own fields would never converge; what others may set, leave out.
/// </remarks>
public sealed class Applier
{
    private const string VersionOfNone = "1";

    private readonly IKubeClient _client;
    private readonly WriteOptions _options;

    /// <summary>Creates an applier.</summary>
    /// <param name="client">Where to apply.</param>
    /// <param name="fieldManager">One name per controller, never changed: fields under an old name would be kept for ever.</param>
    public Applier(IKubeClient client, string fieldManager)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentException.ThrowIfNullOrEmpty(fieldManager);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fieldManager.Length, 128, nameof(fieldManager));
        _client = client;
        _options = new WriteOptions { FieldManager = fieldManager, Force = true };
    }

    /// <summary>Name under which the fields are owned.</summary>
    public string FieldManager => _options.FieldManager!;

    /// <summary>Creates the object, or makes it have the given fields.</summary>
    public Task<T> ApplyAsync<T>(T obj, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => _client.ApplyAsync(obj, _options, cancellationToken);

    /// <summary>
    /// Creates the object by an apply, and only where there is none of its name: nobody else's is ever touched, without a look before.
    /// </summary>
    /// <remarks>
    /// The request states a version, and one that no object has: the first object in an empty etcd gets 2. Where there is an object that is
    /// a conflict, and where there is none nobody compares (<c>Store.Update</c> of Kubernetes' generic registry, since server-side apply
    /// came). A POST would say the same, but books the fields as updated: an apply that leaves one out later would not remove it. Services
    /// of Kubernetes before 1.23 are kept by a registry of their own, which refuses to create with a version: see
    /// <see cref="IsUnguarded"/>.
    /// </remarks>
    /// <exception cref="KubeException">409 when there is an object of that name, whoever made it.</exception>
    public Task<T> CreateAsync<T>(T obj, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(obj);
        var json = JsonSerializer.SerializeToNode(obj, T.JsonTypeInfo)!;
        json["metadata"]!["resourceVersion"] = VersionOfNone;
        return _client.ApplyAsync(json.Deserialize(T.JsonTypeInfo)!, _options, cancellationToken);
    }

    /// <summary>
    /// Whether the server says that it cannot create an object of this kind by <see cref="CreateAsync"/>: nothing was done.
    /// </summary>
    public static bool IsUnguarded(KubeException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Code is 500 or 400 && error.Message.Contains("resourceVersion", StringComparison.Ordinal);
    }

    /// <summary>Makes the status have the given fields; anything but the status is ignored by the server.</summary>
    public Task<T> ApplyStatusAsync<T>(T obj, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => _client.ApplyAsync(obj, _options, cancellationToken, "status");
}
