using Kube.Client;

namespace Kube.Runtime;

/// <summary>Server-side apply under one stable manager name: the API keeps count of who owns which field.</summary>
/// <remarks>
/// Give only the fields you own: a field left out that you owned alone is removed. Conflicts are forced, because a controller that
/// backs off from its own fields would never converge; what others may set, leave out.
/// </remarks>
public sealed class Applier
{
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

    /// <summary>Makes the status have the given fields; anything but the status is ignored by the server.</summary>
    public Task<T> ApplyStatusAsync<T>(T obj, CancellationToken cancellationToken)
        where T : class, IKubeResource<T> => _client.ApplyAsync(obj, _options, cancellationToken, "status");
}
