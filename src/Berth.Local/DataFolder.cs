using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Local;

/// <summary>The folder under which everything is kept, owned by one running Berth at a time.</summary>
public sealed class DataFolder : IDisposable
{
    private const int SecretBytes = 32;

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream fileLock)
    {
        Root = path;
        _lock = fileLock;
    }

    /// <summary>Absolute path.</summary>
    public string Root { get; }

    /// <summary>The kubeconfig of the embedded API.</summary>
    public string Kubeconfig => In("kubeconfig");

    /// <summary>Path of something in the folder.</summary>
    public string In(string name) => Path.Combine(Root, name);

    /// <summary>Makes the folder where it is missing, and takes it.</summary>
    /// <exception cref="LocalConfigurationException">Another Berth runs on it, or it cannot be written.</exception>
    public static DataFolder Open(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                // Others may pass through (a database server that refuses to run as root has its folder in here), but not look.
                Directory.CreateDirectory(
                    path,
                    UnixFileMode.UserRead
                        | UnixFileMode.UserWrite
                        | UnixFileMode.UserExecute
                        | UnixFileMode.GroupExecute
                        | UnixFileMode.OtherExecute
                );
            }

            // The system gives the lock back when the process ends, however it ends.
            return new DataFolder(
                path,
                new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)
            );
        }
        catch (IOException e) when (File.Exists(Path.Combine(path, "lock")) && e is not DirectoryNotFoundException)
        {
            throw new LocalConfigurationException([
                $"{path} is in use by another Berth: stop that one, or set BERTH_DATA to another folder.",
            ]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocalConfigurationException([$"{path} cannot be written ({e.Message}): set BERTH_DATA to a folder that can."]);
        }
    }

    /// <summary>What to say about a file of ours that cannot be used as it is, and that is made anew when it is not there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="consequence">What removing it means, as a sentence's end.</param>
    public static LocalConfigurationException Damaged(string path, string consequence = "people have to sign in again") =>
        new([$"{path} is damaged: remove it, and it is made anew ({consequence})."]);

    /// <summary>A secret that is made once and kept: 256 random bits in base64url.</summary>
    /// <param name="name">File in the folder.</param>
    /// <param name="consequence">What losing it means, for the message about a damaged file.</param>
    /// <exception cref="LocalConfigurationException">The file holds something else.</exception>
    public string Secret(string name, string consequence = "people have to sign in again")
    {
        var path = In(name);
        if (File.Exists(path))
        {
            var kept = File.ReadAllText(path).Trim();
            return Base64Url.IsValid(kept, out var bytes) && bytes == SecretBytes ? kept : throw Damaged(path, consequence);
        }

        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        WritePrivate(path, secret);
        return secret;
    }

    /// <summary>Text that is remembered from run to run, or null.</summary>
    public string? Remembered(string name) => File.Exists(In(name)) ? File.ReadAllText(In(name)).Trim() : null;

    /// <summary>Writes a file that only its owner reads, whole or not at all.</summary>
    public static void WritePrivate(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(temporary, options))
        {
            file.Write(Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();
}
