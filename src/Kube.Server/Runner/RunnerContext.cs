using Kube.Server.Controllers;
using Kube.Server.Runner.Images;
using Kube.Server.Runner.Pods;
using Kube.Server.Runner.Ports;
using Kube.Server.Runner.Probes;
using Kube.Server.Runner.Processes;
using Kube.Server.Runner.Volumes;
using Microsoft.Extensions.Logging;

namespace Kube.Server.Runner;

/// <summary>What all pods of a runner share.</summary>
internal sealed record RunnerContext
{
    public required IClusterApi Api { get; init; }

    public required PodRunnerOptions Options { get; init; }

    /// <summary>Absolute; pods, logs and the process ledger are in its <c>runner</c> folder, claims in <c>volumes</c>.</summary>
    public required string DataDirectory { get; init; }

    public required string SearchPath { get; init; }

    public required ProcessHost Processes { get; init; }

    public required ImageCatalog Images { get; init; }

    public required PortAllocator Ports { get; init; }

    public required PodVolumes Volumes { get; init; }

    public required NetworkProbes Network { get; init; }

    public required EventRecorder Events { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    public BackoffPolicy Backoff => new(Options.BackoffBase, Options.BackoffMax, Options.BackoffReset);

    public static string ClaimsFolder(string dataDirectory) => Path.Combine(dataDirectory, "volumes");

    public string PodFolder(string uid) => Path.Combine(DataDirectory, "runner", "pods", Path.GetFileName(uid));

    public string LogFolder(string uid, string container) => Path.Combine(PodFolder(uid), "logs", Path.GetFileName(container));
}
