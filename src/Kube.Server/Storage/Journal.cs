using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Kube.Server.Storage;

/// <summary>
/// The files under <c>DataDirectory/store</c>: <c>snapshot-N</c> is the state before <c>journal-N</c>; recovery takes the newest snapshot
/// and every journal from its number on. A snapshot appears by rename, so it is whole or absent. Only the newest journal may end in a torn
/// record: it is cut off, because what it was to hold was never acknowledged. Damage anywhere else stops the start: acknowledged data
/// would be lost without a word.
/// </summary>
internal sealed partial class Journal : IDisposable
{
    private readonly string _directory;
    private readonly bool _flush;
    private FileStream _file;
    private int _number;

    private Journal(string directory, bool flush, int number, FileStream file)
    {
        _directory = directory;
        _flush = flush;
        _number = number;
        _file = file;
    }

    /// <summary>Bytes in the present journal file.</summary>
    public long Length => _file.Length;

    public static Journal Open(string directory, bool flush, Action<JournalRecord, bool> replay)
    {
        MakePrivate(directory);
        foreach (var leftover in Directory.GetFiles(directory, "*.tmp"))
        {
            File.Delete(leftover);
        }
        var snapshots = Numbers(directory, "snapshot-");
        var first = snapshots.Count == 0 ? 0 : snapshots[^1];
        if (snapshots.Count > 0)
        {
            ReadSnapshot(Path.Combine(directory, Name("snapshot-", first)), replay);
        }
        var journals = Numbers(directory, "journal-").Where(n => n >= first).ToList();
        for (var i = 0; i < journals.Count; i++)
        {
            if (journals[i] != first + i)
            {
                throw new InvalidDataException(
                    $"The data folder {directory} lacks {Name("journal-",
                        first + i)} but has later journals. Restore the file from a backup, or remove the folder to start empty.");
            }
            ReadJournal(Path.Combine(directory, Name("journal-", journals[i])), i == journals.Count - 1, replay);
        }
        var number = journals.Count == 0 ? first : journals[^1];
        var journal = new Journal(directory, flush, number, OpenFile(Path.Combine(directory, Name("journal-", number))));
        SyncDirectory(directory);
        return journal;
    }

    /// <summary>Appends whole records and makes them durable. On failure the file is as long as before.</summary>
    public void Append(ReadOnlySpan<byte> records)
    {
        var before = _file.Length;
        try
        {
            _file.Write(records);
            _file.Flush(_flush);
        }
        catch (IOException)
        {
            _file.SetLength(before);
            _file.Seek(0, SeekOrigin.End);
            throw;
        }
    }

    /// <summary>Starts the next journal file; returns its number, to which the snapshot of the state until now belongs.</summary>
    public int Rotate()
    {
        var next = OpenFile(Path.Combine(_directory, Name("journal-", _number + 1)));
        SyncDirectory(_directory);
        _file.Flush(_flush);
        _file.Dispose();
        _file = next;
        return ++_number;
    }

    /// <summary>Writes a snapshot and then removes the files it makes superfluous. Runs beside Append.</summary>
    public void WriteSnapshot(int number, long resourceVersion, IEnumerable<StoredObject> objects)
    {
        var target = Path.Combine(_directory, Name("snapshot-", number));
        using (var file = new FileStream(target + ".tmp", FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
        {
            var buffer = new ArrayBufferWriter<byte>(1 << 16);
            long count = 0;
            foreach (var stored in objects)
            {
                RecordCodec.Write(buffer,
                    new JournalRecord(RecordType.Put, stored.ResourceVersion, stored.Resource, stored.Key, stored.Utf8));
                count++;
                file.Write(buffer.WrittenSpan);
                buffer.ResetWrittenCount();
            }
            RecordCodec.Write(buffer,
                new JournalRecord(RecordType.SnapshotEnd, resourceVersion, default(GroupResource) with { Group = "", Plural = "" },
                count.ToString(CultureInfo.InvariantCulture), []));
            file.Write(buffer.WrittenSpan);
            file.Flush(_flush);
        }
        File.Move(target + ".tmp", target, overwrite: true);
        SyncDirectory(_directory);
        foreach (var prefix in (string[])["snapshot-", "journal-"])
        {
            foreach (var old in Numbers(_directory, prefix).Where(n => n < number))
            {
                File.Delete(Path.Combine(_directory, Name(prefix, old)));
            }
        }
    }

    public void Dispose()
    {
        _file.Flush(_flush);
        _file.Dispose();
    }

    private static void ReadSnapshot(string path, Action<JournalRecord, bool> replay)
    {
        ReadOnlySpan<byte> data = File.ReadAllBytes(path);
        var offset = 0;
        long count = 0;
        while (RecordCodec.TryRead(data[offset..], out var record, out var consumed))
        {
            offset += consumed;
            replay(record, true);
            if (record.Type == RecordType.SnapshotEnd && record.Key == count.ToString(CultureInfo.InvariantCulture))
            {
                return;
            }
            count++;
        }
        throw Damaged(path, offset);
    }

    private static void ReadJournal(string path, bool newest, Action<JournalRecord, bool> replay)
    {
        ReadOnlySpan<byte> data = File.ReadAllBytes(path);
        var offset = 0;
        while (RecordCodec.TryRead(data[offset..], out var record, out var consumed))
        {
            offset += consumed;
            replay(record, false);
        }
        if (offset == data.Length)
        {
            return;
        }
        if (!newest || HasRecordAfter(data[(offset + 1)..]))
        {
            throw Damaged(path, offset);
        }
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None);
        file.SetLength(offset);
        file.Flush(true);
    }

    // A torn write leaves nothing sound behind it; a sound record behind a bad one means that bytes which were once acknowledged have
    // rotted.
    private static bool HasRecordAfter(ReadOnlySpan<byte> data)
    {
        for (var at = 0; at + RecordCodec.HeaderSize < data.Length; at++)
        {
            if (RecordCodec.TryRead(data[at..], out _, out _))
            {
                return true;
            }
        }
        return false;
    }

    private static InvalidDataException Damaged(string path, int offset) =>
        new($"{path} is damaged at byte {offset}: acknowledged data behind it cannot be read. Restore the file from a backup, or remove "
            + "the folder to start empty.");

    // Every object is in these files, Secrets among them. An older folder, made with the user's mask, is closed too.
    private static void MakePrivate(string directory)
    {
        Directory.CreateDirectory(directory);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static FileStream OpenFile(string path) => new(path, FileMode.Append, FileAccess.Write, FileShare.Read, 0);

    private static string Name(string prefix, int number) => prefix + number.ToString("D8", CultureInfo.InvariantCulture);

    private static List<int> Numbers(string directory, string prefix)
    {
        var numbers = new List<int>();
        foreach (var path in Directory.GetFiles(directory, prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(path).AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }
        numbers.Sort();
        return numbers;
    }

    // A new name is durable only when its folder is flushed too; .NET has no call for that.
    private static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        var handle = Native.Open(directory, 0);
        if (handle >= 0)
        {
            _ = Native.Fsync(handle);
            _ = Native.Close(handle);
        }
    }

    private static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static partial int Open(string path, int flags);

        [LibraryImport("libc", EntryPoint = "fsync")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static partial int Fsync(int handle);

        [LibraryImport("libc", EntryPoint = "close")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static partial int Close(int handle);
    }
}
