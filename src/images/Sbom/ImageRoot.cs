using System.Text;

namespace Berth.Images.Sbom;

/// <summary>
/// The unpacked file system of an image, which is somebody else's: links lead where they would in the image and never out of it, and
/// nothing is read that is no file or is larger than such a file can be.
/// </summary>
internal sealed class ImageRoot(string folder)
{
    // As many as Linux follows.
    private const int MostLinks = 40;

    /// <summary>Reads a file; null where there is none.</summary>
    /// <param name="path">Its path in the image.</param>
    /// <param name="limit">As many bytes as it may have.</param>
    /// <exception cref="InvalidDataException">It is larger.</exception>
    public string? Read(string path, int limit)
    {
        if (Resolve(path) is not { } file || !File.Exists(file))
        {
            return null;
        }

        // A pipe or a device would never end; they have no length.
        var length = new FileInfo(file).Length;
        if (length > limit)
        {
            throw new InvalidDataException($"{path} of the image has {length} bytes and may have {limit}.");
        }

        return length == 0 ? "" : Encoding.UTF8.GetString(File.ReadAllBytes(file));
    }

    /// <summary>Names of the files of a folder, in order; none where there is none.</summary>
    /// <param name="path">Its path in the image.</param>
    public IEnumerable<string> Files(string path) => Resolve(path) is { } found && Directory.Exists(found)
        ? Directory.EnumerateFiles(found).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)
        : [];

    private string? Resolve(string path)
    {
        var rest = new Stack<string>(path.Split('/').Reverse());
        List<string> at = [];
        for (var links = 0; rest.TryPop(out var step);)
        {
            if (step is "" or ".")
            {
                continue;
            }

            if (step == "..")
            {
                at = at[..Math.Max(0, at.Count - 1)];
                continue;
            }

            at.Add(step);
            if (new FileInfo(Path.Combine([folder, .. at])).LinkTarget is not { } target)
            {
                continue;
            }

            if (++links > MostLinks)
            {
                return null;
            }

            at = target.StartsWith('/') ? [] : at[..^1];
            foreach (var part in target.Split('/').Reverse())
            {
                rest.Push(part);
            }
        }

        return Path.Combine([folder, .. at]);
    }
}
