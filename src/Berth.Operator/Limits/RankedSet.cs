using System.Diagnostics.CodeAnalysis;

namespace Berth.Operator;

/// <summary>
/// An ordered set that also knows places: how many stand before an item. Everything but enumeration is O(log n). (SortedSet does not keep
/// the sizes of its branches, and counting them for ten thousand who wait would be work for each of them.)
/// </summary>
/// <remarks>
/// A treap: the priorities come of a sequence that looks random, so no order of insertion makes it deep. Not thread-safe.
/// </remarks>
internal sealed class RankedSet<T>(IComparer<T> comparer)
{
    private Node? _root;
    private ulong _seed = 0x9E3779B97F4A7C15;

    internal int Count => Size(_root);

    /// <summary>Adds an item; false when it is there.</summary>
    internal bool Add(T item)
    {
        if (Contains(item))
        {
            return false;
        }

        var (before, after) = Split(_root, item);
        _root = Merge(Merge(before, new Node(item, NextPriority())), after);
        return true;
    }

    /// <summary>Removes an item; false when it is not there.</summary>
    internal bool Remove(T item)
    {
        var found = false;
        _root = Remove(_root, item, ref found);
        return found;
    }

    internal bool Contains(T item)
    {
        for (var node = _root; node is not null;)
        {
            var order = comparer.Compare(item, node.Item);
            if (order == 0)
            {
                return true;
            }

            node = order < 0 ? node.Left : node.Right;
        }

        return false;
    }

    /// <summary>How many stand before an item, which need not be in the set.</summary>
    internal int CountBefore(T item)
    {
        var count = 0;
        for (var node = _root; node is not null;)
        {
            if (comparer.Compare(item, node.Item) <= 0)
            {
                node = node.Left;
            }
            else
            {
                count += Size(node.Left) + 1;
                node = node.Right;
            }
        }

        return count;
    }

    internal bool TryFirst([MaybeNullWhen(false)] out T item)
    {
        var node = _root;
        while (node?.Left is not null)
        {
            node = node.Left;
        }

        item = node is null ? default : node.Item;
        return node is not null;
    }

    /// <summary>All in order. The set must not change meanwhile.</summary>
    internal IEnumerable<T> InOrder()
    {
        var path = new Stack<Node>();
        for (var node = _root; node is not null || path.Count > 0;)
        {
            while (node is not null)
            {
                path.Push(node);
                node = node.Left;
            }

            var next = path.Pop();
            yield return next.Item;
            node = next.Right;
        }
    }

    private static int Size(Node? node) => node?.Size ?? 0;

    private static Node? Merge(Node? a, Node? b)
    {
        if (a is null || b is null)
        {
            return a ?? b;
        }

        if (a.Priority >= b.Priority)
        {
            a.Right = Merge(a.Right, b);
            return a.Measure();
        }

        b.Left = Merge(a, b.Left);
        return b.Measure();
    }

    private (Node? Before, Node? After) Split(Node? node, T item)
    {
        if (node is null)
        {
            return (null, null);
        }

        if (comparer.Compare(node.Item, item) < 0)
        {
            var (before, after) = Split(node.Right, item);
            node.Right = before;
            return (node.Measure(), after);
        }
        else
        {
            var (before, after) = Split(node.Left, item);
            node.Left = after;
            return (before, node.Measure());
        }
    }

    private Node? Remove(Node? node, T item, ref bool found)
    {
        if (node is null)
        {
            return null;
        }

        var order = comparer.Compare(item, node.Item);
        if (order == 0)
        {
            found = true;
            return Merge(node.Left, node.Right);
        }

        if (order < 0)
        {
            node.Left = Remove(node.Left, item, ref found);
        }
        else
        {
            node.Right = Remove(node.Right, item, ref found);
        }

        return node.Measure();
    }

    // splitmix64.
    private ulong NextPriority()
    {
        var z = _seed += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private sealed class Node(T item, ulong priority)
    {
        internal T Item { get; } = item;

        internal ulong Priority { get; } = priority;

        internal Node? Left { get; set; }

        internal Node? Right { get; set; }

        internal int Size { get; private set; } = 1;

        internal Node Measure()
        {
            Size = RankedSet<T>.Size(Left) + RankedSet<T>.Size(Right) + 1;
            return this;
        }
    }
}
