namespace Berth.Studio.Hosting;

/// <summary>
/// The folder WORKSPACE_INFO: a platform that starts the program before it knows whose it will be writes name and origin there later, one
/// file each. Until then the files are empty or absent.
/// </summary>
/// <param name="folder">The folder; null where there is none.</param>
internal sealed class WorkspaceInfo(string? folder)
{
    // Names and origins are far below it; whatever else lies there is not read into memory.
    private const int LongestFile = 4096;

    /// <summary>The variables that a shell of a person should have, as far as they are known by now.</summary>
    public IEnumerable<KeyValuePair<string, string>> Variables()
    {
        if (Read("name") is { } name)
        {
            yield return new("WORKSPACE_NAME", name);
        }

        if (Read("url") is { } url)
        {
            yield return new("WORKSPACE_URL", url);
        }
    }

    /// <summary>A file's text without the space around it; null while it says nothing.</summary>
    public string? Read(string file)
    {
        if (folder is null)
        {
            return null;
        }

        try
        {
            var path = Path.Combine(folder, file);
            if (new FileInfo(path) is not { Exists: true, Length: <= LongestFile })
            {
                return null;
            }

            var text = File.ReadAllText(path).Trim();
            return text.Length == 0 || text.AsSpan().ContainsAny('\0', '\n') ? null : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is being written anew, or not for us; both are as if it were not there.
            return null;
        }
    }
}
