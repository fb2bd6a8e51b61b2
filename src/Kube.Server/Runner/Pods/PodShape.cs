using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner.Pods;

/// <summary>The parts of a pod that decide what is run, read once from the object.</summary>
internal sealed record PodShape
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    public required string Uid { get; init; }

    public required string NodeName { get; init; }

    /// <summary>Always, OnFailure or Never.</summary>
    public required string RestartPolicy { get; init; }

    public required TimeSpan Grace { get; init; }

    public required ImmutableArray<ContainerShape> InitContainers { get; init; }

    public required ImmutableArray<ContainerShape> Containers { get; init; }

    /// <summary>spec.volumes as they came.</summary>
    public required ImmutableArray<JsonObject> Volumes { get; init; }

    /// <summary>The pod is to end; <see cref="Grace"/> is then what the deletion grants.</summary>
    public required bool Deleting { get; init; }

    /// <summary>The object, read-only.</summary>
    public required JsonObject Source { get; init; }

    public IEnumerable<ContainerShape> All => InitContainers.Concat(Containers);

    public static PodShape Read(JsonObject pod)
    {
        var metadata = pod.Object("metadata");
        var spec = pod.Object("spec");
        var deleting = metadata?.Text("deletionTimestamp") is not null;
        var grace = (deleting ? metadata?.Number("deletionGracePeriodSeconds") : null)
            ?? spec?.Number("terminationGracePeriodSeconds") ?? 30;
        return new PodShape
        {
            Namespace = metadata?.Text("namespace") ?? "default",
            Name = metadata?.Text("name") ?? "",
            Uid = metadata?.Text("uid") ?? "",
            NodeName = spec?.Text("nodeName") ?? "",
            RestartPolicy = spec?.Text("restartPolicy") ?? "Always",
            Grace = TimeSpan.FromSeconds(Math.Clamp(grace, 0, 86400)),
            InitContainers = [.. spec.Objects("initContainers").Select(c => ContainerShape.Read(c, init: true))],
            Containers = [.. spec.Objects("containers").Select(c => ContainerShape.Read(c, init: false))],
            Volumes = [.. spec.Objects("volumes")],
            Deleting = deleting,
            Source = pod,
        };
    }
}

/// <summary>A container as declared.</summary>
internal sealed record ContainerShape
{
    public required string Name { get; init; }

    public required string Image { get; init; }

    public required ImmutableArray<string> Command { get; init; }

    public required ImmutableArray<string> Args { get; init; }

    public required string? WorkingDirectory { get; init; }

    public required ImmutableArray<PortShape> Ports { get; init; }

    public required ImmutableArray<JsonObject> Env { get; init; }

    public required ImmutableArray<JsonObject> EnvFrom { get; init; }

    public required ImmutableArray<JsonObject> Mounts { get; init; }

    public required ProbeShape? Startup { get; init; }

    public required ProbeShape? Readiness { get; init; }

    public required ProbeShape? Liveness { get; init; }

    /// <summary>lifecycle.preStop.exec.command, or empty.</summary>
    public required ImmutableArray<string> PreStop { get; init; }

    /// <summary>Where it may leave its last words; empty: nowhere.</summary>
    public required string TerminationPath { get; init; }

    public required bool Init { get; init; }

    /// <summary>An init container that keeps running beside the others (restartPolicy Always, KEP-753).</summary>
    public required bool Sidecar { get; init; }

    public static ContainerShape Read(JsonObject container, bool init) => new()
    {
        Name = container.Text("name") ?? "",
        Image = container.Text("image") ?? "",
        Command = container.Texts("command"),
        Args = container.Texts("args"),
        WorkingDirectory = container.Text("workingDir") is { Length: > 0 } folder ? folder : null,
        Ports = [.. container.Objects("ports").Select(p => new PortShape(p.Text("name"), (int)(p.Number("containerPort") ?? 0)))],
        Env = [.. container.Objects("env")],
        EnvFrom = [.. container.Objects("envFrom")],
        Mounts = [.. container.Objects("volumeMounts")],
        Startup = ProbeShape.Read(container.Object("startupProbe"), ProbeKind.Startup),
        Readiness = ProbeShape.Read(container.Object("readinessProbe"), ProbeKind.Readiness),
        Liveness = ProbeShape.Read(container.Object("livenessProbe"), ProbeKind.Liveness),
        PreStop = container.Object("lifecycle")?.Object("preStop")?.Object("exec")?.Texts("command") ?? [],
        TerminationPath = container.Text("terminationMessagePath") ?? "",
        Init = init,
        Sidecar = init && container.Text("restartPolicy") == "Always",
    };
}

/// <summary>A declared port.</summary>
internal readonly record struct PortShape(string? Name, int ContainerPort);

/// <summary>Which probe.</summary>
internal enum ProbeKind
{
    Startup,
    Readiness,
    Liveness,
}

/// <summary>A probe as declared, with the API's defaults.</summary>
internal sealed record ProbeShape
{
    public required ProbeKind Kind { get; init; }

    public required TimeSpan InitialDelay { get; init; }

    public required TimeSpan Period { get; init; }

    public required TimeSpan Timeout { get; init; }

    public required int SuccessThreshold { get; init; }

    public required int FailureThreshold { get; init; }

    public JsonObject? HttpGet { get; init; }

    public JsonObject? TcpSocket { get; init; }

    public JsonObject? Grpc { get; init; }

    /// <summary>exec.command, or empty.</summary>
    public ImmutableArray<string> Exec { get; init; } = [];

    public static ProbeShape? Read(JsonObject? probe, ProbeKind kind) => probe is null ? null : new ProbeShape
    {
        Kind = kind,
        InitialDelay = TimeSpan.FromSeconds(Math.Clamp(probe.Number("initialDelaySeconds") ?? 0, 0, 86400)),
        Period = TimeSpan.FromSeconds(Math.Clamp(probe.Number("periodSeconds") ?? 10, 1, 86400)),
        Timeout = TimeSpan.FromSeconds(Math.Clamp(probe.Number("timeoutSeconds") ?? 1, 1, 3600)),
        SuccessThreshold = (int)Math.Clamp(probe.Number("successThreshold") ?? 1, 1, 1000),
        FailureThreshold = (int)Math.Clamp(probe.Number("failureThreshold") ?? 3, 1, 1_000_000),
        HttpGet = probe.Object("httpGet"),
        TcpSocket = probe.Object("tcpSocket"),
        Grpc = probe.Object("grpc"),
        Exec = probe.Object("exec")?.Texts("command") ?? [],
    };
}
