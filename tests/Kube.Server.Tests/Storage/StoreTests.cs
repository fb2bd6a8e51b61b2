using System.Text.Json.Nodes;
using Kube.Server.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kube.Server.Tests.Storage;

public sealed class StoreTests : IDisposable
{
    private static readonly GroupResource Things = new("example.com", "things");

    private readonly string _folder = Directory.CreateTempSubdirectory("kube-server-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Commit_WrongExpectedVersion_ChangesNothing()
    {
        await using var store = Open();
        var first = await store.CommitAsync(Things, "a", 0, Value(1));
        Assert.NotNull(first);
        Assert.Null(await store.CommitAsync(Things, "a", 0, Value(2)));
        Assert.Null(await store.CommitAsync(Things, "a", first.ResourceVersion - 1, Value(2)));
        Assert.Equal(first.ResourceVersion, store.State.ResourceVersion);
    }

    [Fact]
    public async Task Commit_ManyWritersOfOneObject_ExactlyOneWinsEachVersion()
    {
        await using var store = Open();
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => store.CommitAsync(Things, "a", 0, Value(i))));
        Assert.Single(results, r => r is not null);
    }

    [Fact]
    public async Task Reopen_AfterWrites_HasTheSameObjectsVersionAndHistory()
    {
        long version;
        List<string> before;
        await using (var store = Open())
        {
            await WriteSomeAsync(store, 40);
            await store.CommitAsync(Things, "k3", store.State.Get(Things, "k3")!.ResourceVersion, null);
            version = store.State.ResourceVersion;
            before = Dump(store);
        }
        await using var again = Open();
        Assert.Equal(version, again.State.ResourceVersion);
        Assert.Equal(before, Dump(again));
        var deletion = again.ReadAfter(Things, version - 1);
        Assert.Null(Assert.Single(deletion.Records).After);
        Assert.Equal(version, deletion.Records[0].Shown.ResourceVersion);
    }

    [Fact]
    public async Task Open_FolderThatOthersMayRead_ClosesItToThem()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        await using var store = Open();
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(_folder));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20)]
    public async Task Reopen_TornTail_DropsOnlyTheLastRecord(int cut)
    {
        List<string> before;
        await using (var store = Open())
        {
            await WriteSomeAsync(store, 5);
            before = Dump(store);
            await store.CommitAsync(Things, "last", 0, Value(99));
        }
        var file = Directory.GetFiles(_folder, "journal-*").Single();
        await using (var stream = new FileStream(file, FileMode.Open))
        {
            stream.SetLength(stream.Length - cut);
        }
        await using (var again = Open())
        {
            Assert.Equal(before, Dump(again));
            Assert.NotNull(await again.CommitAsync(Things, "next", 0, Value(1)));
        }
        await using var third = Open();
        Assert.NotNull(third.State.Get(Things, "next"));
    }

    [Fact]
    public async Task Reopen_CorruptRecordBeforeSoundOnes_RefusesAndNamesTheFile()
    {
        await using (var store = Open())
        {
            await WriteSomeAsync(store, 5);
        }
        var file = Directory.GetFiles(_folder, "journal-*").Single();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[40] ^= 0x40;
        await File.WriteAllBytesAsync(file, bytes);
        var error = Assert.Throws<InvalidDataException>(Open);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compaction_AfterManyWrites_KeepsStateAndDropsOldJournals()
    {
        List<string> before;
        await using (var store = Open(compaction: 4096))
        {
            await WriteSomeAsync(store, 200);
            before = Dump(store);
        }
        Assert.NotEmpty(Directory.GetFiles(_folder, "snapshot-*"));
        Assert.True(Directory.GetFiles(_folder, "*").Sum(f => new FileInfo(f).Length) < 200 * 400);
        await using var again = Open();
        Assert.Equal(before, Dump(again));
    }

    [Fact]
    public async Task ReadAfter_OlderThanHistory_SaysSo()
    {
        await using var store = Open(history: 3);
        await WriteSomeAsync(store, 10);
        Assert.True(store.ReadAfter(Things, 2).TooOld);
        Assert.False(store.ReadAfter(Things, store.State.ResourceVersion - 2).TooOld);
    }

    [Fact]
    public async Task TableAt_EarlierVersion_IsTheListOfThen()
    {
        await using var store = Open();
        await WriteSomeAsync(store, 3);
        var then = store.State;
        await store.CommitAsync(Things, "k0", store.State.Get(Things, "k0")!.ResourceVersion, null);
        await store.CommitAsync(Things, "new", 0, Value(1));
        Assert.Equal(then.Table(Things).Keys, store.TableAt(Things, then.ResourceVersion)!.Keys);
    }

    private ObjectStore Open() => Open(1 << 20);

    private ObjectStore Open(long compaction = 1 << 20, int history = 1000) =>
        new(_folder, new StoreSettings(true, compaction, history), NullLogger.Instance);

    private static async Task WriteSomeAsync(ObjectStore store, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var key = "k" + (i % 20);
            Assert.NotNull(await store.CommitAsync(Things, key, store.State.Get(Things, key)?.ResourceVersion ?? 0, Value(i)));
        }
    }

    private static JsonObject Value(int number) =>
        new()
        {
            ["metadata"] = new JsonObject { ["name"] = "x" },
            ["spec"] = new JsonObject { ["n"] = number, ["text"] = new string('x', 100) }
        };

    private static List<string> Dump(ObjectStore store) =>
        store.State.Table(Things).Select(p => p.Key + Json.ToText(p.Value.Value)).ToList();
}
