using System.Text.Json.Serialization;

namespace Berth.Studio.Files;

/// <summary>One file, folder or link, as the API shows it.</summary>
internal sealed record FileEntry
{
    /// <summary>The last name of its path.</summary>
    public required string Name { get; init; }

    /// <summary>Its path, relative to the workspace.</summary>
    public required string Path { get; init; }

    /// <summary>file, folder, link or other (pipe, socket, device).</summary>
    public required string Type { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>When the content last changed.</summary>
    public required DateTimeOffset Modified { get; init; }

    /// <summary>Permission bits in octal.</summary>
    public required string Mode { get; init; }

    /// <summary>The version of the content, for If-Match; files only.</summary>
    [JsonPropertyName("etag")]
    public string? ETag { get; init; }

    /// <summary>Where a link points, as it is written in it.</summary>
    public string? Target { get; init; }

    /// <summary>What a link leads to: file, folder, other, or null when that is missing or outside of the workspace.</summary>
    public string? TargetType { get; init; }
}

/// <summary>What is in a folder, by name.</summary>
internal sealed record FolderListing
{
    /// <summary>The folder's path.</summary>
    public required string Path { get; init; }

    /// <summary>Its entries, sorted by name (ordinal).</summary>
    public required IReadOnlyList<FileEntry> Entries { get; init; }

    /// <summary>True when the folder has more entries than are listed.</summary>
    public required bool Truncated { get; init; }
}

/// <summary>The body of a rename or move.</summary>
internal sealed record RenameRequest
{
    /// <summary>What is to be renamed.</summary>
    public string? From { get; init; }

    /// <summary>Its new path.</summary>
    public string? To { get; init; }

    /// <summary>Whether a file that has this path may be replaced.</summary>
    public bool Overwrite { get; init; }
}
