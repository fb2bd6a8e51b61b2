using System.Text.Json.Nodes;

namespace Kube.Server.Runner.Pods;

/// <summary>What the worker does to the pod's object and, at its end, to its folder.</summary>
internal sealed partial class PodWorker
{
    private async Task WriteStatusAsync()
    {
        var now = _context.Time.GetUtcNow();
        await _context.Api.ModifyAsync(GroupResource.Pods, _shape.Namespace, _shape.Name, pod =>
        {
            if (pod.Object("metadata").Text("uid") != _shape.Uid)
            {
                return false;
            }

            var status = pod.Object("status") ?? [];
            var before = status.DeepClone();
            PodStatus.Write(_shape, _state, status, now);
            if (JsonNode.DeepEquals(before, status))
            {
                return false;
            }

            if (status.Parent is null)
            {
                pod["status"] = status;
            }

            return true;
        }, "status", cancellationToken: _stop.Token);
    }

    private bool FilesMayDiffer(PodShape before)
    {
        var (old, now) = (before.Source.Object("metadata"), _shape.Source.Object("metadata"));
        return !JsonNode.DeepEquals(old?["labels"], now?["labels"]) || !JsonNode.DeepEquals(old?["annotations"], now?["annotations"]);
    }

    private void RefreshFiles(DateTimeOffset now)
    {
        if (!_filesAreOld || !_state.VolumesReady || _filesRetryAt > now)
        {
            return;
        }

        try
        {
            _launcher.Refresh(_shape);
            _filesAreOld = false;
            _filesRetryAt = null;
            _tokensAt = now + Volumes.PodVolumes.Renewal(_shape);
        }
        catch (Exception error) when (error is Volumes.MountException or IOException or UnauthorizedAccessException)
        {
            // The old files stay until it can be done.
            _filesRetryAt = now + _context.Options.RetryInterval;
            Event("Warning", "FailedMount", error.Message, null);
        }
    }

    private async Task RemoveObjectAsync()
    {
        try
        {
            await _context.Api.DeleteAsync(GroupResource.Pods, _shape.Namespace, _shape.Name,
                new DeleteOptions { GracePeriodSeconds = 0, PreconditionUid = _shape.Uid }, _stop.Token);
        }
        catch (ApiException error) when (error.IsNotFound || error.Code == 409)
        {
            // Gone already, or its name belongs to another by now.
        }
    }

    private bool CleanUp()
    {
        _launcher.Release();
        try
        {
            PodTemp.RemoveWithPod(_context.PodFolder(_shape.Uid));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogNotRemoved(_context.Logger, error, _context.PodFolder(_shape.Uid));
        }

        return true;
    }
}
