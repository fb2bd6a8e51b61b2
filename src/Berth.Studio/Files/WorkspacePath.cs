using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Berth.Studio.Files;

/// <summary>
/// A path inside the workspace, in its one canonical spelling: names joined by '/', no leading or trailing slash, the empty string for the
/// workspace itself. It is text only; <see cref="WorkspaceFolder"/> walks it without ever leaving the root.
/// </summary>
/// <remarks>
/// The text comes decoded exactly once. What looks encoded after that (<c>%2e%2e</c>, <c>..%2f</c>, <c>..\</c>, full-width dots) is a
/// file's name like any other on Linux, and is treated as nothing else: it is never decoded, folded or normalised again.
/// </remarks>
internal readonly record struct WorkspacePath
{
    /// <summary>The longest name that Linux file systems take, in bytes (NAME_MAX).</summary>
    public const int MaxNameBytes = 255;

    /// <summary>
    /// The longest path that Linux takes in one call (PATH_MAX without its NUL): what is longer could not be used in a terminal.
    /// </summary>
    public const int MaxPathBytes = 4095;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private WorkspacePath(string value) => Value = value;

    /// <summary>The workspace itself.</summary>
    public static WorkspacePath Root => default;

    /// <summary>The canonical spelling.</summary>
    public string Value => field ?? "";

    /// <summary>Whether it is the workspace itself.</summary>
    public bool IsRoot => Value.Length == 0;

    /// <summary>The last name, or the empty string for the workspace itself.</summary>
    public string Name => Value[(Value.LastIndexOf('/') + 1)..];

    /// <summary>The names from the root down.</summary>
    public string[] Names => IsRoot ? [] : Value.Split('/');

    /// <summary>The path of something in this folder.</summary>
    public WorkspacePath Child(string name) => new(IsRoot ? name : Value + "/" + name);

    /// <summary>Whether this is <paramref name="other"/> or lies below it.</summary>
    public bool IsWithin(WorkspacePath other) =>
        other.IsRoot || Value == other.Value || Value.StartsWith(other.Value + "/", StringComparison.Ordinal);

    /// <summary>Reads a path; null is the workspace itself.</summary>
    /// <param name="text">The text, decoded once.</param>
    /// <param name="path">The path, when it is one.</param>
    /// <param name="problem">Else what is wrong with it.</param>
    public static bool TryParse(string? text, out WorkspacePath path, [NotNullWhen(false)] out string? problem)
    {
        path = default;
        problem = Check(text ?? "");
        if (problem is null)
        {
            path = new WorkspacePath(text ?? "");
        }

        return problem is null;
    }

    /// <inheritdoc/>
    public override string ToString() => "/" + Value;

    private static string? Check(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        if (text.Length > MaxPathBytes)
        {
            return $"it is longer than {MaxPathBytes} bytes";
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return "it contains a NUL character";
        }

        if (text[0] == '/')
        {
            return "it is absolute; paths start at the workspace, without a slash";
        }

        int bytes;
        try
        {
            bytes = StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return "it is not valid Unicode text";
        }

        if (bytes > MaxPathBytes)
        {
            return $"it is longer than {MaxPathBytes} bytes";
        }

        foreach (var name in text.Split('/'))
        {
            switch (name)
            {
                case "":
                    return "it has an empty name (two slashes in a row, or one at the end)";
                case "." or "..":
                    return $"it contains the name '{name}'";
                default:
                    if (StrictUtf8.GetByteCount(name) > MaxNameBytes)
                    {
                        return $"one of its names is longer than {MaxNameBytes} bytes";
                    }

                    break;
            }
        }

        return null;
    }
}
