namespace Kube.Runtime;

/// <summary>A key taken from a <see cref="WorkQueue{TKey}"/>, or the news that the queue has ended.</summary>
/// <typeparam name="TKey">The queue's key.</typeparam>
/// <param name="HasKey">False when the queue is shut down and empty: the worker ends.</param>
/// <param name="Key">The key; meaningless when there is none.</param>
public readonly record struct WorkItem<TKey>(bool HasKey, TKey Key);
