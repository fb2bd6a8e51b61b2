using System.Collections.Concurrent;
using Berth.Accounts;

namespace Berth.Edge.Tests.ApiProxy;

/// <summary>A vault that gives each person a token of their own, and a new one when it is forced to.</summary>
internal sealed class ScriptedVault : ITokenVault
{
    private readonly ConcurrentDictionary<(PersonKey Person, string Connection), long> _versions = new();

    public IReadOnlyDictionary<string, VaultConnection> Connections { get; } = new Dictionary<string, VaultConnection>();

    public ConcurrentQueue<(PersonKey Person, AccessTokenRequest Request)> Asked { get; } = new();

    /// <summary>What it answers in place of a token.</summary>
    public AccessTokenResult? Refusal { get; set; }

    /// <summary>Forced refreshes change nothing, as when the last one was a second ago.</summary>
    public bool IsStuck { get; set; }

    public static string TokenOf(string subject, long version) => $"secret-{subject}-{version}";

    public Task<AccessTokenResult> GetAccessTokenAsync(
        PersonKey caller, string connection, AccessTokenRequest request, CancellationToken cancellationToken)
    {
        Asked.Enqueue((caller, request));
        if (Refusal is { } refusal)
        {
            return Task.FromResult(refusal);
        }

        var version = _versions.AddOrUpdate(
            (caller, connection), 1, (_, known) => request.ForceRefresh && !IsStuck && known <= request.Rejected ? known + 1 : known);
        return Task.FromResult(new AccessTokenResult
        {
            Outcome = AccessTokenOutcome.Granted,
            Token = new VaultAccessToken(Guid.NewGuid(), TokenOf(caller.Subject, version), "Bearer", "", TimeSpan.FromMinutes(5), version,
                cached: true),
        });
    }

    public Task<AccessTokenResult> GetAccessTokenAsync(
        Guid tokenId, PersonKey caller, AccessTokenRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(new AccessTokenResult { Outcome = AccessTokenOutcome.NotFound });

    public Task<StoredToken> StoreAsync(NewGrant grant, CancellationToken cancellationToken) => throw new AccountsUnavailableException();

    public Task<StoredToken?> FindAsync(PersonKey caller, string connection, CancellationToken cancellationToken) =>
        Task.FromResult<StoredToken?>(null);

    public Task<StoredToken?> GetAsync(Guid tokenId, PersonKey caller, CancellationToken cancellationToken) =>
        Task.FromResult<StoredToken?>(null);

    public Task<IReadOnlyList<StoredToken>> ListAsync(PersonKey caller, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<StoredToken>>([]);

    public Task<TokenRevocation?> RevokeAsync(Guid tokenId, PersonKey caller, bool dryRun, CancellationToken cancellationToken) =>
        Task.FromResult<TokenRevocation?>(null);
}
