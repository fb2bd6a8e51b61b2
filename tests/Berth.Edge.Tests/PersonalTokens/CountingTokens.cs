using Berth.Accounts;

namespace Berth.Edge.Tests.PersonalTokens;

/// <summary>Counts look-ups, and holds them back where a test wants it.</summary>
internal sealed class CountingTokens(IPersonalTokens inner) : IPersonalTokens
{
    private int _finds;

    public int Finds => _finds;

    public Task Gate { get; set; } = Task.CompletedTask;

    public async Task<PersonalToken?> FindAsync(ReadOnlyMemory<byte> secretHash, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _finds);
        await Gate;
        return await inner.FindAsync(secretHash, cancellationToken);
    }

    public Task<PersonalTokenResult> CreateAsync(PersonKey person, NewPersonalToken token, CancellationToken cancellationToken) =>
        inner.CreateAsync(person, token, cancellationToken);

    public Task<IReadOnlyList<PersonalToken>> ListAsync(PersonKey person, CancellationToken cancellationToken) =>
        inner.ListAsync(person, cancellationToken);

    public Task<bool> RevokeAsync(PersonKey person, Guid id, CancellationToken cancellationToken) =>
        inner.RevokeAsync(person, id, cancellationToken);

    public Task<int> RevokeAllAsync(PersonKey person, CancellationToken cancellationToken) =>
        inner.RevokeAllAsync(person, cancellationToken);

    public void Touch(Guid id, DateTimeOffset at) => inner.Touch(id, at);
}
