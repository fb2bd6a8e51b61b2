using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization.Metadata;
using Kube.Client;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>berth.dev/v1alpha1 UserWorkspace: one person's workspace, what it should be and how it is.</summary>
[Description("A person's own workspace: the pod, volume, service, network policy and route that the operator keeps for them.")]
[ResourceNames(ShortNames = ["uws"], Categories = ["berth"])]
[PrinterColumn("Owner", "string", ".spec.owner.email")]
[PrinterColumn("Template", "string", ".spec.template.name")]
[PrinterColumn("Desired", "string", ".spec.desiredState")]
[PrinterColumn("Phase", "string", ".status.phase")]
[PrinterColumn("URL", "string", ".status.url")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp")]
[PrinterColumn("Subject", "string", ".spec.owner.subject", Priority = 1)]
[PrinterColumn("Node", "string", ".status.nodeName", Priority = 1)]
[PrinterColumn("Message", "string", ".status.message", Priority = 1)]
[CelRule("size(self.metadata.name) <= 63", "the name becomes a host and a Service, so it can have at most 63 characters")]
[CelRule("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "the name becomes a host and a Service: lower-case letters, digits and dashes, a letter first, no dash at the end")]
public sealed record UserWorkspace : IKubeResource<UserWorkspace>
{
    /// <inheritdoc/>
    public static ResourceDescriptor Descriptor { get; } = new("berth.dev", "v1alpha1", "UserWorkspace", "userworkspaces");

    /// <inheritdoc/>
    public static JsonTypeInfo<UserWorkspace> JsonTypeInfo => BerthJson.Default.UserWorkspace;

    /// <inheritdoc/>
    public string ApiVersion => Descriptor.ApiVersion;

    /// <inheritdoc/>
    public string Kind => Descriptor.Kind;

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    /// <summary>What should be.</summary>
    [Description("What should be.")]
    [Required]
    public UserWorkspaceSpec Spec { get; init => field = value ?? new(); } = new();

    /// <summary>What is, as the operator last saw it; null before its first visit.</summary>
    [Description("What is, as the operator last saw it. Written by the operator only.")]
    public UserWorkspaceStatus? Status { get; init; }
}
