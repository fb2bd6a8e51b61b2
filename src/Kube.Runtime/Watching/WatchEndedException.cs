namespace Kube.Runtime;

/// <summary>A watch ended in a way that says nothing against the request, but that must not be repeated at once.</summary>
public sealed class WatchEndedException(string message) : Exception(message);
