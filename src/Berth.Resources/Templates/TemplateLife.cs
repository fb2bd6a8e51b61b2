using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>How long workspaces of a template may run, unless they say otherwise; times in seconds.</summary>
public sealed record TemplateLifetime
{
    /// <summary>Stop after this time without use; 0 never. Null: the policy's.</summary>
    [Description("Stop after this many seconds without use; 0 means never, else 60 to 604800. Absent: the policy's.")]
    [Range(0, 604800)]
    [CelRule("self == 0 || self >= 60", "idleTimeoutSeconds is 0 (never) or at least 60")]
    public long? IdleTimeoutSeconds { get; init; }

    /// <summary>Stop after this time in any case; 0 never. Null: the policy's.</summary>
    [Description("Stop after this many seconds in any case; 0 means never, else 300 to 2592000. Absent: the policy's.")]
    [Range(0, 2592000)]
    [CelRule("self == 0 || self >= 300", "maxRunSeconds is 0 (never) or at least 300")]
    public long? MaxRunSeconds { get; init; }

    /// <summary>A start that makes no progress for this time has failed. Default 600.</summary>
    [Description("A start that makes no progress for this many seconds has failed, counted from the newest change of a condition. "
        + "Default 600.")]
    [Range(30, 86400)]
    public int? ProgressTimeoutSeconds { get; init; }
}

/// <summary>How use of the application is told from noise.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record TemplateActivity
{
    /// <summary>
    /// Asked by the edge before a workspace is stopped for lack of use: an application that works without anybody watching (a notebook's
    /// kernel, a build) says so here.
    /// </summary>
    [Description("Asked before a workspace is stopped for lack of use: an application that works although nobody watches says so here.")]
    public ActivityProbe? Probe { get; init; }

    /// <summary>
    /// Messages of a WebSocket from the browser with fewer bytes are keep-alives, not use. Default 0: each counts.
    /// </summary>
    [Description("WebSocket messages from the browser with fewer bytes are keep-alives, not use. Default 0: each counts.")]
    [Range(0, 65536)]
    public int? IgnoreMessagesBelow { get; init; }

    /// <summary>Paths whose requests and WebSockets are no use, such as those an open page asks by itself; prefixes.</summary>
    [Description("Beginnings of paths whose requests and WebSockets are no use, such as what an open page asks by itself.")]
    [MaxLength(32)]
    public IReadOnlyList<string>? IgnorePaths { get; init; }
}

/// <summary>An endpoint of the application that says when it was last used.</summary>
public sealed record ActivityProbe
{
    /// <summary>Path that answers 200 with JSON.</summary>
    [Description("Path that answers 200 with JSON.")]
    [Required]
    [StringLength(512)]
    [RegularExpression("^/.*$")]
    public string Path { get; init => field = value ?? ""; } = "";

    /// <summary>
    /// Member of the answer, names separated by dots: a time (RFC 3339, or milliseconds since 1970), or true or a number above zero for
    /// "busy now".
    /// </summary>
    [Description("Member of the answer, names separated by dots: a time (RFC 3339, or milliseconds since 1970) of the last use, "
        + "or true or a number above zero for 'busy now'.")]
    [Required]
    [StringLength(253, MinimumLength = 1)]
    public string Field { get; init => field = value ?? ""; } = "";
}

/// <summary>Pods that wait for people.</summary>
public sealed record TemplateWarmPool
{
    /// <summary>How many are kept. Default 0.</summary>
    [Description("How many pods with fresh volumes are kept ready. Default 0.")]
    [Range(0, 1000)]
    public int? Size { get; init; }

    /// <summary>One that waits longer is replaced. Default 86400.</summary>
    [Description("A pod that has waited this many seconds is replaced. Default 86400 (a day).")]
    [Range(60, 2592000)]
    public int? MaxAgeSeconds { get; init; }

    /// <summary>The most that are made in a minute. Default 10.</summary>
    [Description("The most that are made in a minute, so that a drained pool does not take the nodes from people who start. Default 10.")]
    [Range(1, 6000)]
    public int? RefillPerMinute { get; init; }
}

/// <summary>A template that people should no longer take.</summary>
public sealed record TemplateRetirement
{
    /// <summary>Template whose revision workspaces of this one take at their next start; null: they go on as they are.</summary>
    [Description("Template of the same namespace that workspaces of this one are made from at their next start. Absent: "
        + "they go on with this one, "
        + "and only new ones are refused.")]
    [StringLength(63, MinimumLength = 1)]
    [RegularExpression(@"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    public string? Successor { get; init; }

    /// <summary>A sentence for people whose workspace is made from it.</summary>
    [Description("A sentence for people whose workspace is made from it.")]
    [StringLength(1000)]
    public string? Message { get; init; }
}
