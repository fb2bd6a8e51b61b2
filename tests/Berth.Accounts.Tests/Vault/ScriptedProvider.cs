using System.Collections.Concurrent;
using System.Text;

namespace Berth.Accounts.Tests.Vault;

/// <summary>A provider that rotates strictly, in memory, and does what a test tells it to.</summary>
internal sealed class ScriptedProvider : IVaultProvider
{
    private readonly ConcurrentDictionary<string, string> _live = new(StringComparer.Ordinal);
    private int _requests;
    private int _made;

    public int Requests => _requests;

    public ConcurrentQueue<string> Revoked { get; } = [];

    public TimeSpan? ExpiresIn { get; set; } = TimeSpan.FromSeconds(300);

    public bool Rotates { get; set; } = true;

    /// <summary>Runs before the provider looks at the token; an answer takes the place of the provider's.</summary>
    public Func<string, Task<TokenAnswer?>>? Before { get; set; }

    /// <summary>Runs after the provider has done its part, with its answer.</summary>
    public Func<TokenAnswer, Task<TokenAnswer>>? After { get; set; }

    public RevocationAnswer RevocationAnswer { get; set; } = RevocationAnswer.Done;

    /// <summary>A refresh token for a person.</summary>
    public string Issue(string subject)
    {
        var token = $"rt-{subject}-{Interlocked.Increment(ref _made)}-{Guid.NewGuid():n}";
        _live[token] = subject;
        return token;
    }

    public void Kill(string token) => _live.TryRemove(token, out _);

    public async Task<TokenAnswer> RefreshAsync(VaultConnection connection, Secret refreshToken, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _requests);
        var token = refreshToken.Reveal();
        if (Before is not null && await Before(token) is { } instead)
        {
            return instead;
        }

        var answer = Answer(token);
        return After is null ? answer : await After(answer);
    }

    public Task<TokenAnswer> RedeemAsync(
        VaultConnection connection, string code, string verifier, string redirectUri, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public Task<RevocationAnswer> RevokeAsync(VaultConnection connection, Secret refreshToken, CancellationToken cancellationToken)
    {
        Revoked.Enqueue(refreshToken.Reveal());
        return Task.FromResult(RevocationAnswer);
    }

    private TokenAnswer Answer(string token)
    {
        if (!_live.TryGetValue(token, out var subject))
        {
            return TokenAnswer.Failed(TokenAnswerKind.InvalidGrant, "400 invalid_grant");
        }

        var next = token;
        if (Rotates)
        {
            if (!_live.TryRemove(token, out _))
            {
                return TokenAnswer.Failed(TokenAnswerKind.InvalidGrant, "400 invalid_grant");
            }

            next = Issue(subject);
        }

        return new TokenAnswer
        {
            Kind = TokenAnswerKind.Tokens,
            AccessToken = Secret.FromText($"at-{subject}-{Interlocked.Increment(ref _made)}-{Guid.NewGuid():n}"),
            RefreshToken = Rotates ? new Secret(Encoding.UTF8.GetBytes(next)) : null,
            ExpiresIn = ExpiresIn,
        };
    }
}
