using System.Text.Json.Serialization;

namespace Berth.Operator.Archives;

/// <summary>One thing in an archive; a line of its manifest.</summary>
internal sealed record ArchiveEntry
{
    internal const string File = "file";
    internal const string Folder = "folder";
    internal const string Link = "link";
    internal const string HardLink = "hardlink";

    /// <summary>Path below the volume's root, with slashes, none at the ends.</summary>
    public string Path { get; init; } = "";

    /// <summary>file, folder, link (symbolic) or hardlink.</summary>
    public string Type { get; init; } = "";

    /// <summary>Bytes of a file.</summary>
    public long? Size { get; init; }

    /// <summary>Permissions in octal, such as 0644; null for links.</summary>
    public string? Mode { get; init; }

    /// <summary>Last change, to a ten-millionth of a second; null for links.</summary>
    public DateTimeOffset? Modified { get; init; }

    /// <summary>SHA-256 of a file's content, in hexadecimal.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Where a link leads, as written; of a hard link the path of the file it is another name of.</summary>
    public string? Target { get; init; }
}

/// <summary>First line of a manifest.</summary>
internal sealed record ManifestHead
{
    internal const string Version = "berth-archive/1";

    public string Format { get; init; } = "";

    /// <summary>When the archive was begun.</summary>
    public DateTimeOffset Created { get; init; }
}

/// <summary>Last line of a manifest: without it, something is missing.</summary>
internal sealed record ManifestEnd
{
    public bool End { get; init; } = true;

    public long Entries { get; init; }

    /// <summary>Bytes of all files.</summary>
    public long Bytes { get; init; }

    /// <summary>What is on the volume and not in the archive because it could not be read; the first few by name.</summary>
    public IReadOnlyList<string>? Unread { get; init; }

    public long UnreadCount { get; init; }

    /// <summary>Sockets, pipes and devices, which hold nothing.</summary>
    public long Skipped { get; init; }

    /// <summary>Files that changed while they were read: what is in the archive is whole, but of no single moment.</summary>
    public long Changed { get; init; }
}

/// <summary>An archive that exists.</summary>
internal sealed record StoredArchive
{
    public string Name { get; init; } = "";

    /// <summary>Bytes as stored.</summary>
    public long Size { get; init; }

    public DateTimeOffset Completed { get; init; }

    /// <summary>Something could not be read when it was made.</summary>
    public bool Incomplete { get; init; }
}

/// <summary>What a run of the archive command tells, as JSON in the container's termination message.</summary>
internal sealed record ArchiveResult
{
    /// <summary>It did what it was asked to.</summary>
    public bool Ok { get; init; }

    /// <summary>What went wrong, or is worth knowing, in words.</summary>
    public string? Message { get; init; }

    public string? Name { get; init; }

    public long Entries { get; init; }

    public long Bytes { get; init; }

    /// <summary>Bytes of the archive itself.</summary>
    public long Stored { get; init; }

    /// <summary>The archive was read back, and all in it is what was read from the volume.</summary>
    public bool Verified { get; init; }

    /// <summary>A restore that failed may have changed the volume: it has to be seen through.</summary>
    public bool Touched { get; init; }

    /// <summary>The archives there are now, newest first; at most ten.</summary>
    public IReadOnlyList<StoredArchive>? Archives { get; init; }

    /// <summary>Parses a termination message; null when it is none of ours.</summary>
    internal static ArchiveResult? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        try
        {
            return System.Text.Json.JsonSerializer.Deserialize(text, ArchiveJson.Default.ArchiveResult);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}

/// <summary>Source-generated JSON of archives.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(ArchiveEntry))]
[JsonSerializable(typeof(ManifestHead))]
[JsonSerializable(typeof(ManifestEnd))]
[JsonSerializable(typeof(ArchiveResult))]
internal sealed partial class ArchiveJson : JsonSerializerContext;

/// <summary>An archive, or the folder for it, cannot be used. The message is for people.</summary>
internal sealed class ArchiveException : Exception
{
    public ArchiveException(string message)
        : base(message)
    {
    }

    public ArchiveException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
