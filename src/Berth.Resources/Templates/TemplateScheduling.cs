using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>Where pods of a template may run.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplateScheduling
{
    /// <summary>Labels that a node must have.</summary>
    [Description("Labels that a node must have.")]
    [MaxLength(32)]
    public IReadOnlyDictionary<string, string>? NodeSelector { get; init; }

    /// <summary>Taints of nodes that do not matter, such as those of a spot pool.</summary>
    [Description("Taints of nodes that do not matter, such as those of a spot pool.")]
    [MaxLength(32)]
    public IReadOnlyList<Toleration>? Tolerations { get; init; }

    /// <summary>Name of a PriorityClass.</summary>
    [Description("Name of a PriorityClass: who gives way when nodes are full.")]
    [StringLength(253)]
    public string? PriorityClassName { get; init; }

    /// <summary>Name of a RuntimeClass, such as one that runs gVisor or Kata Containers.</summary>
    [Description("Name of a RuntimeClass, such as one that runs gVisor or Kata Containers.")]
    [StringLength(253)]
    public string? RuntimeClassName { get; init; }
}

/// <summary>What the pods of a template may reach.</summary>
[CelRule("self.mode == 'Custom' || !has(self.cidrs)", "networks are for mode Custom")]
[CelRule("self.mode != 'Custom' || (has(self.cidrs) && size(self.cidrs) > 0)", "mode Custom names its networks in cidrs")]
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplateEgress
{
    /// <summary>One of <see cref="EgressModes"/>. Default Internet.</summary>
    [Description("Internet: public addresses. None: nothing but name servers and the edge's keys. Custom: the networks in cidrs. "
        + "Cloud metadata addresses are never among them.")]
    [AllowedValues(EgressModes.Internet, EgressModes.None, EgressModes.Custom)]
    [SchemaDefault("\"Internet\"")]
    public string Mode { get; init => field = string.IsNullOrEmpty(value) ? EgressModes.Internet : value; } = EgressModes.Internet;

    /// <summary>Networks in CIDR notation for mode Custom; private ones are allowed when they are named here.</summary>
    [Description("Networks in CIDR notation for mode Custom, such as 203.0.113.0/24. A private network is allowed when it is named here.")]
    [MaxLength(64)]
    public IReadOnlyList<string>? Cidrs { get; init; }
}

/// <summary>Values of <c>spec.egress.mode</c> of templates.</summary>
public static class EgressModes
{
    /// <summary>Public addresses; private ranges and cloud metadata are denied.</summary>
    public const string Internet = "Internet";

    /// <summary>Name servers and the edge's keys only.</summary>
    public const string None = "None";

    /// <summary>The networks that are named.</summary>
    public const string Custom = "Custom";
}
