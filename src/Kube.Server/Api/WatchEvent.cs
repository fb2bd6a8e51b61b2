using System.Text.Json.Nodes;

namespace Kube.Server;

/// <summary>What happened to an object.</summary>
public enum WatchEventType
{
    /// <summary>The object came into being (or is part of the initial list).</summary>
    Added,

    /// <summary>The object changed.</summary>
    Modified,

    /// <summary>The object is gone; the event carries its last state with the resource version of the deletion.</summary>
    Deleted,

    /// <summary>The initial list is complete; <see cref="WatchEvent.Value"/> is empty.</summary>
    InitialListDone,
}

/// <summary>One step of a watch.</summary>
/// <param name="Type">What happened.</param>
/// <param name="Resource">The collection the object belongs to.</param>
/// <param name="Value">The object. Shared with the store: read it, and DeepClone before you change anything.</param>
/// <param name="ResourceVersion">The version of this step.</param>
public readonly record struct WatchEvent(WatchEventType Type, GroupResource Resource, JsonObject Value, long ResourceVersion);

/// <summary>A consistent list.</summary>
/// <param name="Items">Objects in key order (namespace, name). Shared with the store: read only.</param>
/// <param name="ResourceVersion">The version the list was taken at; a watch from here misses nothing.</param>
public sealed record ObjectList(IReadOnlyList<JsonObject> Items, long ResourceVersion);

/// <summary>What to list or watch.</summary>
public sealed record SelectorOptions
{
    /// <summary>Label selector in the API's text form, or null for all.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>Field selector in the API's text form, or null for all.</summary>
    public string? FieldSelector { get; init; }
}
