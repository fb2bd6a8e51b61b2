using System.Text.Json.Nodes;
using Kube.Server.Controllers;
using Kube.Server.Runner.Images;
using Kube.Server.Runner.Launch;
using Kube.Server.Runner.Ports;
using Kube.Server.Runner.Processes;
using Kube.Server.Runner.Volumes;

namespace Kube.Server.Runner.Pods;

/// <summary>What came of an attempt to start a container.</summary>
internal abstract record LaunchResult
{
    public sealed record Running(RunningContainer Container) : LaunchResult;

    public sealed record NoImage(string Message) : LaunchResult;

    public sealed record BadConfig(string Message) : LaunchResult;

    public sealed record Failed(string Id, int ExitCode, string Message) : LaunchResult;
}

/// <summary>Prepares what a pod's containers need (ports, folders, volumes) and starts them, with the events of a kubelet.</summary>
internal sealed class PodLauncher(RunnerContext context, PodShape first, Action<PodMessage> post)
{
    private readonly Dictionary<int, int> _ports = [];
    private readonly EventSubject _pod = EventSubject.Of(first.Source, "v1", "Pod");
    private Dictionary<string, string> _volumes = [];
    private string _temp = "";

    public EventSubject Subject(string? container)
    {
        var field = first.InitContainers.Any(c => c.Name == container) ? "initContainers" : "containers";
        return container is null ? _pod : _pod with { FieldPath = $"spec.{field}{{{container}}}" };
    }

    /// <exception cref="MountException">A volume cannot be had now.</exception>
    public async Task PrepareAsync(PodShape pod, CancellationToken cancellationToken)
    {
        var folder = context.PodFolder(pod.Uid);
        PrivateFolders.Create(Path.Combine(folder, "home"));
        _temp = PodTemp.Ensure(folder);
        _volumes = context.Volumes.Prepare(pod, folder);
        if (_ports.Count == 0)
        {
            // Ports of an earlier life are kept where they are still free: people have them in their bookmarks and scripts.
            var before = PortAnnotation.Read(pod.Source);
            foreach (var port in pod.All.SelectMany(c => c.Ports).Select(p => p.ContainerPort).Where(p => p > 0).Distinct())
            {
                _ports[port] = context.Ports.Take(before.GetValueOrDefault($"{port}"));
            }
        }

        await RecordPortsAsync(pod, cancellationToken);
    }

    /// <summary>Brings files that tell the pod about itself up to date.</summary>
    public void Refresh(PodShape pod) => context.Volumes.Refresh(pod, context.PodFolder(pod.Uid));

    public async Task<LaunchResult> StartAsync(PodShape pod, ContainerShape container, CancellationToken cancellationToken)
    {
        var subject = Subject(container.Name);
        CatalogImage image;
        try
        {
            image = context.Images.Find(container.Image);
            context.Events.Normal(subject, "Pulled", $"Container image \"{container.Image}\" already present on machine");
        }
        catch (ImageException error)
        {
            context.Events.Warning(subject, "Failed", $"Failed to pull image \"{container.Image}\": {error.Message}");
            context.Events.Warning(subject, "Failed", "Error: ErrImagePull");
            return new LaunchResult.NoImage(error.Message);
        }

        await RenewPortsAsync(pod, container, cancellationToken);
        var id = Guid.NewGuid().ToString("D");
        try
        {
            var lastWords = TerminationMessage.Prepare(context.PodFolder(pod.Uid), container.Name);
            var spec = Spec(pod, container, image, lastWords, out var mounts);
            KeepTwoLogs(pod, container);
            context.Events.Normal(subject, "Created", $"Created container: {container.Name}");
            var running = new RunningContainer(context, pod.Uid, id, container, spec, new Dictionary<int, int>(_ports),
                lastWords, post)
            { Mounts = mounts };
            context.Events.Normal(subject, "Started", $"Started container {container.Name}");
            return new LaunchResult.Running(running);
        }
        catch (Exception error) when (error is ConfigException or MountException)
        {
            context.Events.Warning(subject, "Failed", $"Error: {error.Message}");
            return new LaunchResult.BadConfig(error.Message);
        }
        catch (SpawnException error)
        {
            context.Events.Warning(subject, "Failed", $"Error: {error.Message}");
            return new LaunchResult.Failed(id, error.ExitCode, error.Message);
        }
    }

    /// <summary>Gives the ports back.</summary>
    public void Release()
    {
        foreach (var port in _ports.Values)
        {
            context.Ports.Give(port);
        }

        _ports.Clear();
    }

    private ProcessSpec Spec(PodShape pod, ContainerShape container, CatalogImage image, string lastWords, out MountTable mounts)
    {
        var launch = new ContainerContext
        {
            Pod = pod,
            Container = container,
            Image = image,
            Ports = _ports,
            Home = Path.Combine(context.PodFolder(pod.Uid), "home"),
            Temp = _temp,
            SearchPath = context.SearchPath,
            Lookup = (resource, name) => context.Api.Get(resource, pod.Namespace, name),
        };
        // A subPathExpr is put together from the variables as the pod declares them.
        var declared = ContainerEnvironment.Build(launch, MountTable.Empty);
        mounts = PodVolumes.Mounts(container, _volumes, lastWords, text => Expansion.Expand(text, n => declared.GetValueOrDefault(n)));
        return ContainerCommand.Build(launch, ContainerEnvironment.Build(launch, mounts), mounts);
    }

    // Ports are kept over restarts of the container; one that somebody else has taken meanwhile is replaced.
    private async Task RenewPortsAsync(PodShape pod, ContainerShape container, CancellationToken cancellationToken)
    {
        var changed = false;
        foreach (var port in container.Ports.Select(p => p.ContainerPort).Where(p => _ports.TryGetValue(p, out var now)
            && !PortAllocator.IsFree(now)))
        {
            context.Ports.Give(_ports[port]);
            _ports[port] = context.Ports.Take();
            changed = true;
        }

        if (changed)
        {
            await RecordPortsAsync(pod, cancellationToken);
        }
    }

    private async Task RecordPortsAsync(PodShape pod, CancellationToken cancellationToken)
    {
        if (_ports.Count == 0)
        {
            return;
        }

        var text = PortAnnotation.Write(pod.All, _ports);
        await context.Api.ModifyAsync(GroupResource.Pods, pod.Namespace, pod.Name, current =>
        {
            if (current["metadata"] is not JsonObject metadata || metadata.Text("uid") != pod.Uid)
            {
                return false;
            }

            var annotations = metadata.Object("annotations");
            if (annotations is null)
            {
                metadata["annotations"] = annotations = [];
            }

            if (annotations.Text(PortAnnotation.Name) == text)
            {
                return false;
            }

            annotations[PortAnnotation.Name] = text;
            return true;
        }, cancellationToken: cancellationToken);
    }

    // The last run's log stays for --previous; what is older goes.
    private void KeepTwoLogs(PodShape pod, ContainerShape container)
    {
        var folder = context.LogFolder(pod.Uid, container.Name);
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var file in Directory.GetFiles(folder, "*.log").OrderByDescending(File.GetLastWriteTimeUtc).Skip(1))
        {
            File.Delete(file);
            File.Delete(Logs.ContainerLog.RotatedOf(file));
        }
    }
}
