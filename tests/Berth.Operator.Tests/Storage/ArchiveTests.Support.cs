using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Berth.Operator.Archives;

namespace Berth.Operator.Tests;

/// <summary>Folders and archives for the tests.</summary>
public sealed partial class ArchiveTests
{
    private void Fill()
    {
        Write("plain.txt", "plain");
        Write("empty", "");
        Write("folder/inner/deep.txt", "deep");
        Write(Odd, "odd");
        Write("100%25 and %0A", "odd too");
        File.CreateSymbolicLink(Path.Combine(Root, "odd-link"), Odd);
        Write("script.sh", "#!/bin/sh");
        File.SetUnixFileMode(Path.Combine(Root, "script.sh"), (UnixFileMode)Convert.ToInt32("755", 8));
        Directory.CreateDirectory(Path.Combine(Root, "empty-folder"));
        File.CreateSymbolicLink(Path.Combine(Root, "link"), "folder/inner");
        File.CreateSymbolicLink(Path.Combine(Root, "absolute"), "/usr/bin/python3");
        File.CreateSymbolicLink(Path.Combine(Root, "broken"), "no/where");
        Run("ln", Path.Combine(Root, "plain.txt"), Path.Combine(Root, "second-name"));
        Run("mkfifo", Path.Combine(Root, "pipe"));
        Write(new string('n', 255), "long name");
        Write(string.Join('/', Enumerable.Repeat(new string('d', 100), 20)) + "/file", "long path");
        Write("read-only/file", "kept");
        File.SetUnixFileMode(Path.Combine(Root, "read-only"), (UnixFileMode)Convert.ToInt32("555", 8));
        using (var sparse = File.Create(Path.Combine(Root, "sparse")))
        {
            sparse.SetLength(5_000_000);
        }

        File.WriteAllBytes(Path.Combine(Root, "large"), RandomNumberGenerator.GetBytes(400_000));
        File.SetLastWriteTimeUtc(Path.Combine(Root, "plain.txt"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(1234567));
        Directory.SetLastWriteTimeUtc(Path.Combine(Root, "folder"), new DateTime(2002, 2, 3, 4, 5, 6, DateTimeKind.Utc));
    }

    private void Write(string path, string content)
    {
        var full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    /// <summary>
    /// All below a folder: name, kind, permissions, time, content, target, and which names are one file. Without pipes and Berth's own.
    /// </summary>
    private static string Listing(string root)
    {
        var lines = new List<string>();
        VolumeTree.Walk(root, (entry, file) =>
        {
            var hash = "";
            if (file is not null)
            {
                using var stream = new FileStream(file, FileAccess.Read, 0);
                hash = Convert.ToHexString(SHA256.HashData(stream));
            }

            lines.Add($"{entry with { Sha256 = hash }}");
        }, default);
        return string.Join("\n", lines);
    }

    private void MakeHostile(Action<TarWriter> more, Func<string, string?>? manifest = null)
    {
        using var file = File.Create(Path.Combine(Store, "hostile.tar.gz"));
        using var gzip = new GZipStream(file, CompressionLevel.Fastest);
        using var tar = new TarWriter(gzip, TarEntryFormat.Pax);
        Add(tar, TarEntryType.RegularFile, "volume/file", content: "plain");
        Add(tar, TarEntryType.SymbolicLink, "volume/link", "/etc");
        more(tar);
        var lines = new[]
        {
            JsonSerializer.Serialize(new ManifestHead { Format = ManifestHead.Version }, ArchiveJson.Default.ManifestHead),
            JsonSerializer.Serialize(
                new ArchiveEntry { Path = "file", Type = "file", Size = 5, Sha256 = Hash("plain"), Mode = "0644" },
                    ArchiveJson.Default.ArchiveEntry),
            JsonSerializer.Serialize(new ArchiveEntry { Path = "link", Type = "link", Target = "/etc" }, ArchiveJson.Default.ArchiveEntry),
            JsonSerializer.Serialize(new ManifestEnd { Entries = 2, Bytes = 5 }, ArchiveJson.Default.ManifestEnd),
        };
        var text = string.Join('\n', lines) + "\n";
        if ((manifest is null ? text : manifest(text)) is { } said)
        {
            Add(tar, TarEntryType.RegularFile, "manifest.jsonl", content: said);
        }
    }

    private async Task RefusedAsync(string why)
    {
        Write("mine", "mine");
        var result = await RunAsync("restore", "--root", Root, "--name", "hostile", "--id", "r");
        Assert.False(result.Ok);
        Assert.Contains(why, result.Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Root, "mine")));
        Assert.False(Path.Exists(Path.Combine(_folder.FullName, "evil")));
    }

    private static void Add(TarWriter tar, TarEntryType type, string name, string? target = null, string? content = null)
    {
        var entry = new PaxTarEntry(type, name);
        if (!string.IsNullOrEmpty(target))
        {
            entry.LinkName = target;
        }

        if (content is not null)
        {
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        }

        tar.WriteEntry(entry);
    }

    private string Entries(string name)
    {
        using var gzip = new GZipStream(File.OpenRead(Path.Combine(Store, name + ".tar.gz")), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name == "manifest.jsonl")
            {
                return new StreamReader(entry.DataStream!).ReadToEnd();
            }
        }

        throw new InvalidOperationException("no manifest");
    }

    private static byte[] Unzip(byte[] content)
    {
        using var gzip = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
        using var all = new MemoryStream();
        gzip.CopyTo(all);
        return all.ToArray();
    }

    private async Task<ArchiveResult> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        var file = Path.Combine(_folder.FullName, "result");
        await ArchiveCommand.RunAsync([.. arguments, "--folder", Store, "--result", file], _ => null, TimeProvider.System, output, default);
        return ArchiveResult.Parse(File.ReadAllText(file))!;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Ends in the middle, as a process does.</summary>
    private sealed class BreakingStream(byte[] content, int at) : MemoryStream(content)
    {
        public override int Read(byte[] buffer, int offset, int count) => Position >= at
            ? throw new OperationCanceledException()
            : base.Read(buffer, offset, (int)Math.Min(count, at - Position));
    }
}
