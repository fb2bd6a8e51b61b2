using System.Diagnostics.CodeAnalysis;

namespace Kube.Runtime;

/// <summary>A dictionary of bounded size that forgets what was not used for longest. Not thread-safe.</summary>
internal sealed class LruTable<TKey, TValue>(int capacity)
    where TKey : notnull
{
    private readonly Dictionary<TKey, LinkedListNode<(TKey Key, TValue Value)>> _nodes = [];
    private readonly LinkedList<(TKey Key, TValue Value)> _order = new();

    public int Count => _nodes.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (_nodes.TryGetValue(key, out var node))
        {
            _order.Remove(node);
            _order.AddFirst(node);
            value = node.Value.Value;
            return true;
        }

        value = default;
        return false;
    }

    public TValue GetOrAdd(TKey key, Func<TValue> create)
    {
        if (!TryGet(key, out var value))
        {
            value = create();
            Set(key, value);
        }

        return value;
    }

    public void Set(TKey key, TValue value)
    {
        if (_nodes.Remove(key, out var old))
        {
            _order.Remove(old);
        }

        _nodes[key] = _order.AddFirst((key, value));
        if (_nodes.Count > capacity)
        {
            _nodes.Remove(_order.Last!.Value.Key);
            _order.RemoveLast();
        }
    }
}
