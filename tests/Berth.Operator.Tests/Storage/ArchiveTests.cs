using System.Security.Cryptography;
using Berth.Operator.Archives;

namespace Berth.Operator.Tests;

/// <summary>Archives of real folders: everything a home can hold, there and back, and everything an attacker could put in.</summary>
public sealed partial class ArchiveTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-archive-");

    public ArchiveTests()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Store);
    }

    private const string Odd = "with\nnewline, 5 % and ünïcode \"quotes\"";

    private string Root => Path.Combine(_folder.FullName, "volume");

    private string Store => Path.Combine(_folder.FullName, "store");

    public void Dispose()
    {
        Run("chmod", "-R", "u+rwx", _folder.FullName);
        Run("rm", "-r", _folder.FullName);
    }

    [Fact]
    public async Task CreateThenRestore_EverythingAHomeHolds_IsTheSameAgain()
    {
        Fill();
        var before = Listing(Root);
        var created = await RunAsync("create", "--root", Root, "--name", "one");
        Assert.True(created.Ok && created.Verified, created.Message);
        Assert.Equal("one", Assert.Single(created.Archives!).Name);

        Run("find", Root, "-mindepth", "1", "-delete");
        File.WriteAllText(Path.Combine(Root, "new.txt"), "written since");
        var restored = await RunAsync("restore", "--root", Root, "--name", "one", "--id", "r1");
        Assert.True(restored.Ok, restored.Message);
        Assert.Equal(before, Listing(Root));
        Assert.Equal("written since", File.ReadAllText(Path.Combine(Root, ".berth-before-restore-r1", "new.txt")));
        Assert.Equal([".berth-before-restore-r1"], Directory.GetFileSystemEntries(Root, ".berth-*").Select(Path.GetFileName));

        // What Berth itself left is in no later backup.
        await RunAsync("create", "--root", Root, "--name", "two");
        Assert.DoesNotContain("before-restore", Entries("two"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_AnotherProgram_CanUnpackIt()
    {
        // But names that hold a line break or its escape: there they are escaped.
        Fill();
        File.Delete(Path.Combine(Root, "100%25 and %0A"));
        File.Delete(Path.Combine(Root, "odd-link"));
        File.Delete(Path.Combine(Root, Odd));
        await RunAsync("create", "--root", Root, "--name", "one");
        var target = Path.Combine(_folder.FullName, "by-tar");
        Directory.CreateDirectory(target);
        Run("tar", "-xzpf", Path.Combine(Store, "one.tar.gz"), "-C", target, "volume");
        Assert.Equal(Listing(Root), Listing(Path.Combine(target, "volume")));
    }

    [Fact]
    public async Task Create_LinkToOutside_IsKeptAndNotFollowed()
    {
        var secret = Path.Combine(_folder.FullName, "secret");
        File.WriteAllText(secret, "not for the archive");
        Directory.CreateSymbolicLink(Path.Combine(Root, "out"), _folder.FullName);
        File.CreateSymbolicLink(Path.Combine(Root, "file"), secret);
        await RunAsync("create", "--root", Root, "--name", "one");
        var manifest = Entries("one");
        Assert.Equal(2, manifest.Split("\"type\":\"link\"").Length - 1);
        Assert.DoesNotContain("\"file\"", manifest.Replace("\"path\":\"file\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Throws<IOException>(() => VolumeTree.Walk(Path.Combine(Root, "out"), (_, _) => { }, default));
    }

    [Fact]
    public async Task Create_UnreadableFile_IsTold_AndTheArchiveCountsAsIncomplete()
    {
        if (Environment.UserName == "root")
        {
            // To root nothing is unreadable; a name that is no UTF-8 is, to everybody.
            Run("sh", "-c", $"touch \"$(printf '{Root}/\\377')\"");
        }
        else
        {
            File.WriteAllText(Path.Combine(Root, "a"), "a");
            File.SetUnixFileMode(Path.Combine(Root, "a"), UnixFileMode.None);
        }

        File.WriteAllText(Path.Combine(Root, "b"), "b");
        var result = await RunAsync("create", "--root", Root, "--name", "one");
        Assert.True(result.Ok);
        Assert.False(result.Verified);
        Assert.StartsWith("1 could not be read", result.Message, StringComparison.Ordinal);
        Assert.True(Assert.Single(result.Archives!).Incomplete);
    }

    [Fact]
    public async Task Create_Keep_DropsTheOldestAndNeverTheOnlyGoodOne()
    {
        File.WriteAllText(Path.Combine(Root, "a"), "a");
        foreach (var name in new[] { "20260101", "20260102", "20260103" })
        {
            await RunAsync("create", "--root", Root, "--name", name);
        }

        var result = await RunAsync("create", "--root", Root, "--name", "20260104", "--keep", "2");
        Assert.Equal(["20260104", "20260103"], result.Archives!.Select(a => a.Name));
        Assert.Equal([], ArchiveNames.Superfluous([new StoredArchive { Name = "2", Incomplete = true }, new StoredArchive { Name = "1" }],
            1));
        Assert.Equal(["1"], ArchiveNames.Superfluous(
            [new StoredArchive { Name = "2" }, new StoredArchive { Name = "1", Incomplete = true }], 5).Select(a => a.Name));
    }

    [Fact]
    public async Task Create_DoneAlready_IsVerifiedAndToldAgain()
    {
        File.WriteAllText(Path.Combine(Root, "a"), "a");
        await RunAsync("create", "--root", Root, "--name", "one");
        var written = File.GetLastWriteTimeUtc(Path.Combine(Store, "one.tar.gz"));
        Assert.True((await RunAsync("create", "--root", Root, "--name", "one")).Verified);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(Store, "one.tar.gz")));
    }

    [Fact]
    public async Task Verify_AnyByteChanged_IsFound()
    {
        Fill();
        await RunAsync("create", "--root", Root, "--name", "one");
        var path = Path.Combine(Store, "one.tar.gz");
        var whole = File.ReadAllBytes(path);
        var random = new Random(1);
        for (var i = 0; i < 40; i++)
        {
            var damaged = (byte[])whole.Clone();

            // Not the ten bytes of gzip's own head, where a time and a system's name mean nothing.
            var at = random.Next(10, whole.Length);
            damaged[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);
            var result = await RunAsync("verify", "--name", "one");

            // A bit of a compressed run of zeros may mean nothing: then what comes out is the same.
            Assert.True(!result.Ok || Unzip(damaged).AsSpan().SequenceEqual(Unzip(whole)), $"byte {at} of {whole.Length}");
        }

        File.WriteAllBytes(path, whole[..^100]);
        Assert.False((await RunAsync("verify", "--name", "one")).Ok);
        File.WriteAllBytes(path, whole);
        Assert.True((await RunAsync("verify", "--name", "one")).Ok);
    }

    [Fact]
    public async Task Restore_EndedAnywhere_GoesOnAndEndsTheSame()
    {
        Fill();
        var wanted = Listing(Root);
        await RunAsync("create", "--root", Root, "--name", "one");
        var archive = File.ReadAllBytes(Path.Combine(Store, "one.tar.gz"));

        // Ended while unpacking: at any read of the archive. Ended while exchanging: at states that Swap passes.
        for (var at = 0; at < archive.Length; at += Math.Max(1, archive.Length / 7))
        {
            File.WriteAllText(Path.Combine(Root, "later"), "later");
            var stop = at;
            await Assert.ThrowsAnyAsync<Exception>(() => ArchiveRestore.RunAsync(
                Root, "k", () => Task.FromResult<Stream>(new BreakingStream(archive, stop)), ArchiveLimits.None, default));
            Assert.Equal("later", File.ReadAllText(Path.Combine(Root, "later")));
        }

        var half = new RestoreFolders(Root, "k");
        half.Begin();
        var sink = new FolderSink(half.Staging);
        var entries = new List<ArchiveEntry>();
        ArchiveReader.Read(new MemoryStream(archive), sink, ArchiveLimits.None, entries.Add, default);
        sink.Finish(entries);
        half.MarkUnpacked();

        // Half of the old content is out.
        var aside = Path.Combine(Root, ".berth-before-restore-k");
        Directory.CreateDirectory(aside);
        File.Move(Path.Combine(Root, "later"), Path.Combine(aside, "later"));
        var (_, end) = await ArchiveRestore.RunAsync(Root, "k", () => throw new InvalidOperationException(), ArchiveLimits.None, default);
        Assert.Null(end);
        Assert.Equal(wanted, Listing(Root));

        // Ended with half of the new content in.
        Directory.CreateDirectory(half.Staging);
        File.Move(Path.Combine(Root, "plain.txt"), Path.Combine(half.Staging, "plain.txt"));
        File.Delete(Path.Combine(aside, ".berth-complete"));
        File.WriteAllText(half.Staging + ".emptied", "");
        await ArchiveRestore.RunAsync(Root, "k", () => throw new InvalidOperationException(), ArchiveLimits.None, default);
        Assert.Equal(wanted, Listing(Root));

        // And once it is done, again does nothing.
        File.WriteAllText(Path.Combine(Root, "plain.txt"), "changed since");
        await ArchiveRestore.RunAsync(Root, "k", () => throw new InvalidOperationException(), ArchiveLimits.None, default);
        Assert.Equal("changed since", File.ReadAllText(Path.Combine(Root, "plain.txt")));
    }

    [Theory]
    [InlineData("create", "--name", "one", "--folder", "x")]
    [InlineData("create", "--root", "x", "--name", "../one", "--folder", "x")]
    [InlineData("create", "--root", "x", "--name", "one")]
    [InlineData("create", "--root", "x", "--name", "one", "--folder", "x", "--prefix", "y")]
    [InlineData("restore", "--root", "x", "--name", "one", "--folder", "x")]
    [InlineData("forget", "--folder", "x")]
    [InlineData("list", "--folder")]
    public async Task Run_WrongArguments_ExitCode2AndTheUsage(params string[] arguments)
    {
        using var output = new StringWriter();
        Assert.Equal(2, await ArchiveCommand.RunAsync(arguments, _ => null, TimeProvider.System, output, default));
        Assert.Contains("Berth.Operator archive", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ObjectStore_CreateVerifyPruneAndRestore_InParts()
    {
        await using var s3 = new TinyS3 { Flaky = true };
        File.WriteAllBytes(Path.Combine(Root, "random"), RandomNumberGenerator.GetBytes(300_000));
        var wanted = Listing(Root);
        using var http = new HttpClient();
        var settings = S3Settings.Read(n => s3.Variables.GetValueOrDefault(n));
        var store = new S3Archives(new S3Client(settings, http, TimeProvider.System), "ns/ws one", 100_000);
        foreach (var name in new[] { "20260101", "20260102", "20260103" })
        {
            var created = await ArchiveCommand.RunAsync(
                new ArchiveArguments { Verb = "create", Root = Root, Name = name, Keep = 2 }, store, TimeProvider.System, default);
            Assert.True(created.Verified, created.Message);
        }

        Assert.Equal(["20260103", "20260102"], (await store.ListAsync(default)).Select(a => a.Name));
        Assert.Equal(
            ["ns/ws one/20260102.complete", "ns/ws one/20260102.tar.gz", "ns/ws one/20260103.complete", "ns/ws one/20260103.tar.gz"],
            s3.Objects.Keys.Order(StringComparer.Ordinal));
        Assert.True(s3.Largest <= 100_000);
        Run("find", Root, "-mindepth", "1", "-delete");
        await ArchiveCommand.RunAsync(
            new ArchiveArguments { Verb = "restore", Root = Root, Name = "20260102", Id = "r" }, store, TimeProvider.System, default);
        Assert.Equal(wanted, Listing(Root));

        // What is damaged on the way or in the store does not count.
        s3.Objects["ns/ws one/20260103.tar.gz"][50] ^= 1;
        await Assert.ThrowsAsync<ArchiveException>(() => ArchiveCommand.RunAsync(
            new ArchiveArguments { Verb = "verify", Name = "20260103" }, store, TimeProvider.System, default));
        await Assert.ThrowsAsync<ArchiveException>(() => store.WriteAsync("broken", _ => throw new ArchiveException("no"), default));
        Assert.Equal(0, s3.Uploads);
        Assert.Null(await store.OpenAsync("broken", default));
    }

    [Fact]
    public async Task ObjectStore_WrongKeys_IsToldInWords()
    {
        await using var s3 = new TinyS3();
        var variables = s3.Variables;
        variables["AWS_SECRET_ACCESS_KEY"] = "another";
        using var output = new StringWriter();
        Assert.Equal(1, await ArchiveCommand.RunAsync(
            ["list", "--prefix", "x"], n => variables.GetValueOrDefault(n), TimeProvider.System, output, default));
        Assert.Contains("403 SignatureDoesNotMatch", output.ToString(), StringComparison.Ordinal);
    }
}
