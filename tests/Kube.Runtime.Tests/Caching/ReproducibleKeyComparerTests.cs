using Kube.Client;
using Kube.Client.Models;

namespace Kube.Runtime.Tests;

public sealed class ReproducibleKeyComparerTests
{
    [Fact]
    public void GetHashCode_OfTwoKeys_IsTheSameInEveryProcess()
    {
        // Hashes of texts are random in each process; these were computed elsewhere: FNV-1a, 32 bits, over UTF-16 units.
        Assert.Equal(-1097429526, ReproducibleKeyComparer.Instance.GetHashCode(new("people", "ws-a")));
        Assert.Equal(unchecked((int)2166136261), ReproducibleKeyComparer.Instance.GetHashCode(new("", "")));
    }

    [Fact]
    public void List_WithReproducibleKeys_IsAlwaysInTheSameOrder()
    {
        var store = new Store<Pod>(null, ReproducibleKeyComparer.Instance);
        foreach (var name in (string[])["d", "a", "c", "b"])
        {
            store.Put(new Pod { Metadata = new ObjectMeta { Namespace = "n", Name = name } });
        }

        string?[] expected = ["a", "c", "b", "d"];
        Assert.Equal(expected, store.List().Select(p => p.Metadata.Name));
        Assert.Equal(expected, store.ListNamespace("n").Select(p => p.Metadata.Name));
        store.Replace([.. store.List().Reverse()]);
        Assert.Equal(expected, store.ListNamespace("n").Select(p => p.Metadata.Name));
    }
}
