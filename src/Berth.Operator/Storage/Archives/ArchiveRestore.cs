using System.Runtime.Versioning;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Berth.Operator.Archives;

/// <summary>Brings the content of an archive back onto a volume: unpack beside, compare with the manifest, exchange.</summary>
[SupportedOSPlatform("linux")]
internal static class ArchiveRestore
{
    /// <summary>Restores; may be called again after it was ended anywhere.</summary>
    /// <param name="root">The volume; nobody else may be at work on it.</param>
    /// <param name="id">Names this restore.</param>
    /// <param name="open">Opens the archive.</param>
    /// <param name="limits">How much it may hold.</param>
    /// <param name="cancellationToken">Gives up; a later call goes on.</param>
    /// <returns>What it restored, in words, and the counts; null counts when an earlier run had unpacked it.</returns>
    internal static async Task<(string Message, ManifestEnd? End)> RunAsync(
        string root, string id, Func<Task<Stream>> open, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        var folders = new RestoreFolders(root, id);
        if (folders.IsComplete)
        {
            folders.Tidy();
            return ("It was restored already.", null);
        }

        ManifestEnd? end = null;
        if (!folders.IsUnpacked)
        {
            folders.Begin();
            await using var archive = await open();
            end = Unpack(archive, folders.Staging, limits, cancellationToken);
            folders.MarkUnpacked();
        }

        folders.Swap();
        return ($"What was there before lies in {folders.BeforeName} until the next restore; delete it when it is not needed.", end);
    }

    private static ManifestEnd Unpack(Stream archive, string staging, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        var sink = new FolderSink(staging);
        var wanted = new List<ArchiveEntry>();
        ManifestEnd end;
        try
        {
            end = ArchiveReader.Read(archive, sink, limits, wanted.Add, cancellationToken);
            sink.Finish(wanted);
            Compare(staging, wanted, cancellationToken);
        }
        catch (IOException e) when (IsFull(e))
        {
            throw new ArchiveException(
                "The volume has no room for the old and the new content side by side. Give it more (spec.resources.storage), or delete "
                    + "files, and ask again.", e);
        }

        return end;
    }

    /// <summary>What lies on the volume now, read again, against what the manifest says.</summary>
    private static void Compare(string staging, List<ArchiveEntry> wanted, CancellationToken cancellationToken)
    {
        var next = 0;
        var tree = VolumeTree.Walk(staging, Check, cancellationToken);
        if (next != wanted.Count || tree.UnreadCount > 0)
        {
            throw new ArchiveException("What was unpacked is not all that the manifest names; the volume may be damaged or full.");
        }

        void Check(ArchiveEntry found, SafeFileHandle? file)
        {
            if (next >= wanted.Count || !Same(found, wanted[next], file))
            {
                throw new ArchiveException(
                    $"What was unpacked as '{found.Path}' is not what the manifest says; the volume may be damaged.");
            }

            next++;
        }
    }

    private static bool Same(ArchiveEntry found, ArchiveEntry wanted, SafeFileHandle? file)
    {
        if (found.Path != wanted.Path || found.Type != wanted.Type || found.Size != wanted.Size || found.Target != wanted.Target)
        {
            return false;
        }

        if (file is null)
        {
            return true;
        }

        using var stream = new FileStream(file, FileAccess.Read, 0);
        return Convert.ToHexStringLower(SHA256.HashData(stream)) == wanted.Sha256;
    }

    // ENOSPC and EDQUOT, which .NET hands out in the low half of HResult or as they are.
    private static bool IsFull(IOException e) => (e.HResult & 0xffff) is 28 or 122 || e.HResult is 28 or 122
        || e.Message.Contains("No space left", StringComparison.Ordinal) || e.Message.Contains("quota", StringComparison.Ordinal);
}
