namespace Kube.Server.Runner.Logs;

/// <summary>
/// The log of one run of a container: two pumps write what comes from stdout and stderr, readers follow. At <see cref="_maxBytes"/>
/// the file is put aside as <c>.1</c> (one is kept) and a new one begins.
/// </summary>
internal sealed class ContainerLog : IDisposable
{
    /// <summary>10 MiB, a kubelet's default.</summary>
    public const long DefaultMaxBytes = 10 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly long _maxBytes;
    private FileStream? _file;
    private long _length;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ContainerLog(string path, TimeProvider time, long maxBytes = DefaultMaxBytes)
    {
        Path = path;
        _time = time;
        _maxBytes = maxBytes;
        PrivateFolders.Create(System.IO.Path.GetDirectoryName(path)!);
        _file = Open();
    }

    public string Path { get; }

    public string RotatedPath => RotatedOf(Path);

    /// <summary>Number of times the file was put aside: tells a reader to reopen.</summary>
    public int Generation { get; private set; }

    /// <summary>Nothing more will come.</summary>
    public bool Completed { get; private set; }

    /// <summary>Completes when something is written, rotated or completed after this call.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return Completed ? Task.CompletedTask : _changed.Task;
            }
        }
    }

    public static string RotatedOf(string path) => path + ".1";

    /// <summary>Copies a stream of the process line by line until its end.</summary>
    public async Task PumpAsync(Stream source, string stream)
    {
        var buffer = new byte[LogLine.MaxPart];
        var used = 0;
        await using (source)
        {
            while (true)
            {
                int read;
                try
                {
                    read = await source.ReadAsync(buffer.AsMemory(used));
                }
                catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
                {
                    read = 0;
                }

                if (read == 0)
                {
                    if (used > 0)
                    {
                        Write(stream, buffer.AsSpan(0, used), flushPartial: true);
                    }

                    return;
                }

                used += read;
                var kept = Write(stream, buffer.AsSpan(0, used), flushPartial: used == buffer.Length);
                buffer.AsSpan(used - kept, kept).CopyTo(buffer);
                used = kept;
            }
        }
    }

    /// <summary>Writes a line of the runner's own.</summary>
    public void Note(string text) => Write("stderr", System.Text.Encoding.UTF8.GetBytes(text.ReplaceLineEndings(" ") + "\n"),
        flushPartial: false);

    /// <summary>Ends the log: followers finish.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            Completed = true;
            _file?.Dispose();
            _file = null;
            _changed.TrySetResult();
        }
    }

    public void Dispose() => Complete();

    // Returns how many bytes at the end are an unfinished line that was not written.
    private int Write(string stream, ReadOnlySpan<byte> text, bool flushPartial)
    {
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            if (_file is null)
            {
                return 0;
            }

            while (text.Length > 0)
            {
                var end = text.IndexOf((byte)'\n');
                if (end < 0 && !flushPartial)
                {
                    break;
                }

                _length += LogLine.Write(_file, now, stream, partial: end < 0, end < 0 ? text : text[..end]);
                text = end < 0 ? [] : text[(end + 1)..];
                if (_length >= _maxBytes)
                {
                    Rotate();
                }
            }

            _file.Flush();
            Signal();
            return text.Length;
        }
    }

    private void Rotate()
    {
        _file!.Dispose();
        File.Move(Path, RotatedPath, overwrite: true);
        _file = Open();
        _length = 0;
        Generation++;
    }

    private void Signal()
    {
        var done = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        done.TrySetResult();
    }

    private FileStream Open()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 32 * 1024,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(Path, options);
    }
}
