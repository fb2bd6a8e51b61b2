namespace Kube.Server.Runner.Pods;

/// <summary>Waiting for images.</summary>
internal sealed partial class PodWorker
{
    // While an image is missing, the catalogue is looked at every second: whoever adds it need not wait for the backoff.
    private DateTimeOffset? CheckCatalog(DateTimeOffset now)
    {
        var missing = _state.Containers.Values.Where(c => c.WaitingReason is "ErrImagePull" or "ImagePullBackOff").ToList();
        if (missing.Count == 0)
        {
            _catalogSeen = _context.Images.Version;
            return null;
        }

        var version = _context.Images.Version;
        if (version != _catalogSeen)
        {
            _catalogSeen = version;
            foreach (var container in missing)
            {
                _state = _state.With(container with { RetryAt = now, ImageBackoff = default });
            }
        }

        return now + TimeSpan.FromSeconds(1);
    }
}
