using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>
/// A container beside the application: one that prepares the volume before it (git clone, dotfiles), or one that runs with it. It bears the
/// same security context.
/// </summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplateContainer
{
    /// <summary>Name, unique in the pod; <c>workspace</c> is the application's.</summary>
    [Description("Name, unique in the pod; 'workspace' is the application's own.")]
    [Required]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Image; null: the template's.</summary>
    [Description("Container image. Absent: the template's.")]
    [StringLength(512, MinimumLength = 1)]
    public string? Image { get; init; }

    /// <summary>Entry point instead of the image's.</summary>
    [Description("Entry point instead of the image's.")]
    [MaxLength(64)]
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Arguments instead of the image's.</summary>
    [Description("Arguments instead of the image's.")]
    [MaxLength(64)]
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Further variables; parameters and those that Berth sets are there already.</summary>
    [Description("Further environment variables; those of the application are there already.")]
    [ListMap("name")]
    [MaxLength(64)]
    public IReadOnlyList<TemplateVariable>? Env { get; init; }

    /// <summary>CPU and memory.</summary>
    [Description("CPU and memory it needs and may use.")]
    public TemplateContainerResources? Resources { get; init; }

    /// <summary>Whether the volume is mounted. Default true.</summary>
    [Description("Whether the volume is mounted, at the same path. Default true.")]
    public bool? MountVolume { get; init; }
}

/// <summary>CPU and memory of a further container.</summary>
public sealed record TemplateContainerResources
{
    /// <summary>What a node must have free.</summary>
    [Description("What a node must have free.")]
    public ComputeResources? Requests { get; init; }

    /// <summary>The most it may use.</summary>
    [Description("The most it may use.")]
    public ComputeResources? Limits { get; init; }
}

/// <summary>GPUs, or other devices that a node hands out whole.</summary>
public sealed record TemplateGpu
{
    /// <summary>Resource name when none is given.</summary>
    public const string DefaultResourceName = "nvidia.com/gpu";

    /// <summary>Extended resource; null: <see cref="DefaultResourceName"/>.</summary>
    [Description("Name of the extended resource. Default nvidia.com/gpu.")]
    [StringLength(253)]
    [RegularExpression("^[a-z0-9][-a-z0-9.]*/[A-Za-z0-9][-A-Za-z0-9_.]*$")]
    public string? ResourceName { get; init; }

    /// <summary>How many, unless a workspace says otherwise. Default 0.</summary>
    [Description("How many, unless a workspace says otherwise. Default 0.")]
    [Range(0, 64)]
    public int? Count { get; init; }

    /// <summary>The most that a workspace may wish for; null: <see cref="Count"/>.</summary>
    [Description("The most that a workspace may wish for. Absent: the count.")]
    [Range(0, 64)]
    public int? Ceiling { get; init; }
}

/// <summary>
/// Which variables of a workspace's owner the application gets. An entry is a name, or the beginning of names with a star behind it.
/// </summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplatePersonalVariables
{
    /// <summary>Only these; null: all; empty: none.</summary>
    [Description("Only these: names, or beginnings of names with a star behind them, such as GIT_*. Absent: all. An empty list: none.")]
    [MaxLength(64)]
    [CelRule("self.all(e, size(e) > 0 && size(e) <= 129)", "an entry is a name, or the beginning of names with a star behind it")]
    public IReadOnlyList<string>? Allow { get; init; }

    /// <summary>Not these, whatever is allowed; null: none.</summary>
    [Description("Not these, whatever is allowed, such as HTTP_PROXY or PIP_*.")]
    [MaxLength(64)]
    [CelRule("self.all(e, size(e) > 0 && size(e) <= 129)", "an entry is a name, or the beginning of names with a star behind it")]
    public IReadOnlyList<string>? Deny { get; init; }

    /// <summary>Whether a variable of this name is taken.</summary>
    public bool Takes(string name) => Allow?.Any(e => Fits(e, name)) != false && Deny?.Any(e => Fits(e, name)) != true;

    /// <summary>Whether an entry is a name, or the beginning of names with a star behind it.</summary>
    public static bool IsEntry(string entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var name = entry.EndsWith('*') ? entry[..^1] : entry;
        return entry.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            && (name.Length == 0 || !char.IsAsciiDigit(name[0]));
    }

    private static bool Fits(string entry, string name) => entry.EndsWith('*')
        ? name.StartsWith(entry[..^1], StringComparison.Ordinal)
        : string.Equals(entry, name, StringComparison.Ordinal);
}
