using System.Text.Json.Nodes;
using Kube.Server.Runner.Images;
using Kube.Server.Runner.Pods;

namespace Kube.Server.Runner.Launch;

/// <summary>The container's configuration refers to something that is not there. Reported as CreateContainerConfigError.</summary>
internal sealed class ConfigException(string message) : Exception(message);

/// <summary>All that decides what a container's process gets.</summary>
internal sealed record ContainerContext
{
    public required PodShape Pod { get; init; }

    public required ContainerShape Container { get; init; }

    public required CatalogImage Image { get; init; }

    /// <summary>Assigned ports by container port.</summary>
    public required IReadOnlyDictionary<int, int> Ports { get; init; }

    /// <summary>HOME, and the working directory where nothing else is said.</summary>
    public required string Home { get; init; }

    /// <summary>TMPDIR.</summary>
    public required string Temp { get; init; }

    /// <summary>PATH of the process.</summary>
    public required string SearchPath { get; init; }

    /// <summary>Reads a config map or a secret of the pod's namespace; null when it does not exist.</summary>
    public required Func<GroupResource, string, JsonObject?> Lookup { get; init; }
}
