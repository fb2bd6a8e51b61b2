using Kube.Client;
using Kube.Client.Models;
using static Kube.Runtime.Tests.Fakes.Objects;

namespace Kube.Runtime.Tests.Caching;

public sealed class StoreTests
{
    private readonly Store<ConfigMap> _store = new(new Dictionary<string, Func<ConfigMap, IEnumerable<string>>>
    {
        ["value"] = m => m.Data is null ? [] : m.Data.Values,
    });

    [Fact]
    public void ByIndex_AfterChange_MovesTheObject()
    {
        _store.Put(Map("x", "1", value: "red"));
        _store.Put(Map("y", "2", value: "red"));
        _store.Put(Map("x", "3", value: "blue"));
        Assert.Equal("y", Assert.Single(_store.ByIndex("value", "red")).Metadata.Name);
        Assert.Equal("3", Assert.Single(_store.ByIndex("value", "blue")).Metadata.ResourceVersion);
        _store.Remove(new ResourceKey("a", "x"));
        Assert.Empty(_store.ByIndex("value", "blue"));
    }

    [Fact]
    public void ByIndex_UnknownIndex_SaysSo() =>
        Assert.Contains("'nope'", Assert.Throws<ArgumentException>(() => _store.ByIndex("nope", "x")).Message, StringComparison.Ordinal);

    [Fact]
    public void EnsureIndex_OnFullStore_CoversWhatIsThereAndKeepsTheFirst()
    {
        _store.Put(Map("x", "1", ns: "b"));
        _store.EnsureIndex("name", m => [m.Metadata.Name!]);
        _store.EnsureIndex("name", m => ["other"]);
        Assert.Single(_store.ByIndex("name", "x"));
        Assert.Empty(_store.ByIndex("name", "other"));
        Assert.Single(_store.ListNamespace("b"));
    }

    [Fact]
    public void Replace_NewPicture_LeavesNothingOfTheOld()
    {
        _store.Put(Map("x", "1", value: "red"));
        _store.Replace([Map("y", "2", value: "blue")]);
        Assert.Null(_store.Get(new ResourceKey("a", "x")));
        Assert.Empty(_store.ByIndex("value", "red"));
        Assert.Single(_store.ByIndex("value", "blue"));
        Assert.Equal(1, _store.Count);
    }

    [Fact]
    public void List_TakenBeforeAChange_KeepsItsMoment()
    {
        _store.Put(Map("x", "1"));
        var before = _store.List();
        _store.Put(Map("y", "2"));
        _store.Remove(new ResourceKey("a", "x"));
        Assert.Equal("x", Assert.Single(before).Metadata.Name);
    }

    [Fact]
    public async Task Reads_WhileWriting_NeverSeeHalfAChange()
    {
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                _store.Put(Map("x", i.ToString(System.Globalization.CultureInfo.InvariantCulture), value: i % 2 == 0 ? "red" : "blue"));
                _store.Replace(i % 5 == 0 ? [] : [Map("x", "1", value: "red")]);
            }
        });
        for (var i = 0; i < 20_000; i++)
        {
            // The index must never name an object that the same look does not hold.
            Assert.All(_store.ByIndex("value", "red"), Assert.NotNull);
        }

        await stop.CancelAsync();
        await writer;
    }
}
