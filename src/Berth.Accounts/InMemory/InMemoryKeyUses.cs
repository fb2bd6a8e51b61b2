using System.Collections.Concurrent;

namespace Berth.Accounts;

/// <summary>First uses as this process saw them.</summary>
internal sealed class InMemoryKeyUses(TimeProvider clock) : IKeyUses
{
    private readonly ConcurrentDictionary<(string Kind, string KeyId), DateTimeOffset> _uses = new();

    public Task<DateTimeOffset> FirstUseAsync(string kind, string keyId, CancellationToken cancellationToken) =>
        Task.FromResult(_uses.GetOrAdd((kind, keyId), _ => clock.GetUtcNow()));
}
