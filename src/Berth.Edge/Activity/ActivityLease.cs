using System.Text.Json;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>The Lease of this replica, see <see cref="EdgeLeases"/>. Nobody competes for it: it is a sign of life.</summary>
internal sealed class ActivityLease(IKubeClient client, WorkspaceOptions options, TimeProvider clock)
{
    private const string NamePrefix = "berth-edge-activity-";

    // A replica that ended without taking its Lease away is dead to the operator after five minutes; after an hour nobody needs its Lease.
    private static readonly TimeSpan Forgotten = TimeSpan.FromHours(1);

    private readonly DateTimeOffset _since = clock.GetUtcNow();

    /// <summary>Its name: a new one at each start, so that no replica can speak for another.</summary>
    public string Name { get; } = NamePrefix + Guid.NewGuid().ToString("N")[..12];

    /// <summary>When it was renewed last; the start of this replica before that.</summary>
    public DateTimeOffset RenewedAt { get; private set; } = clock.GetUtcNow();

    /// <summary>Renews it; makes it when it is not there.</summary>
    public async Task RenewAsync(DateTimeOffset? writtenUntil, CancellationToken cancellationToken)
    {
        var lease = Lease(writtenUntil);
        try
        {
            var patch = KubePatch.Merge(JsonSerializer.SerializeToUtf8Bytes(lease, Kube.Client.Models.Lease.JsonTypeInfo));
            await client.PatchAsync<Lease>(
                options.Namespace, Name, patch, new WriteOptions { FieldManager = "berth-edge" }, cancellationToken).ConfigureAwait(false);
        }
        catch (KubeException error) when (error.IsNotFound)
        {
            await client.CreateAsync(lease, new WriteOptions { FieldManager = "berth-edge" }, cancellationToken).ConfigureAwait(false);
        }

        RenewedAt = clock.GetUtcNow();
    }

    /// <summary>Takes it away: this replica has written all it knew.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await client.DeleteAsync<Lease>(options.Namespace, Name, null, cancellationToken).ConfigureAwait(false);
        }
        catch (KubeException error) when (error.IsNotFound)
        {
        }
    }

    /// <summary>Takes away what replicas left behind that ended without their last word.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var oldest = clock.GetUtcNow() - Forgotten;
        var page = await client.ListPageAsync<Lease>(
            options.Namespace, new ListOptions { LabelSelector = $"{EdgeLeases.Component}={EdgeLeases.ComponentValue}" }, cancellationToken)
            .ConfigureAwait(false);
        foreach (var lease in page.Items.Where(l => l.Metadata.Name != Name && l.Spec?.RenewTime is { } renewed && renewed < oldest))
        {
            try
            {
                // With its version: one that comes back to life in this moment stays.
                await client.DeleteAsync<Lease>(options.Namespace, lease.Metadata.Name!,
                    new DeleteOptions { ResourceVersion = lease.Metadata.ResourceVersion }, cancellationToken).ConfigureAwait(false);
            }
            catch (KubeException error) when (error.IsNotFound || error.IsConflict)
            {
            }
        }
    }

    private Lease Lease(DateTimeOffset? writtenUntil)
    {
        var annotations = new Dictionary<string, string> { [EdgeLeases.WorkspaceNamespace] = options.Namespace };
        if (writtenUntil is { } until)
        {
            // Cut to the second, as the announcements are: within one second nobody can say which was first.
            annotations[EdgeLeases.ActivityWrittenUntil] = ActivityPlan.Text(until);
        }

        return new Lease
        {
            Metadata = new ObjectMeta
            {
                Name = Name,
                Namespace = options.Namespace,
                Labels = new Dictionary<string, string>
                {
                    [Labels.ManagedBy] = Labels.ManagedByValue,
                    [EdgeLeases.Component] = EdgeLeases.ComponentValue,
                },
                Annotations = annotations,
            },
            Spec = new LeaseSpec
            {
                HolderIdentity = $"{Environment.MachineName}_{Name[NamePrefix.Length..]}",
                LeaseDurationSeconds = 3 * EdgeLeases.RenewSeconds,
                AcquireTime = _since,
                RenewTime = clock.GetUtcNow(),
            },
        };
    }
}
