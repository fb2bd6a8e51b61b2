namespace Berth.Accounts;

/// <content>What callers are told.</content>
internal sealed partial class RefreshRunner
{
    private FlightResult Serve(VaultRow row, long read)
    {
        var error = sealer.TryOpen(row.AccessToken!, row.Context(SealedKind.Access), out var token);
        using (token)
        {
            if (error != EnvelopeError.None)
            {
                LogUnreadable(row.Id, error);
                return error == EnvelopeError.UnknownKey
                    ? Unavailable("The token is sealed with a key that this replica does not have.")
                    : NeedsConsent(row, ReconsentCause.Unreadable);
            }

            var cached = Cached(row, token, row.AccessRemaining!.Value, read);
            cache.Put(cached);
            return new FlightResult(AccessTokenOutcome.Granted) { Token = cached, Connection = row.Connection };
        }
    }

    // A token that lasts yet is better than none, unless it is the one that does not work.
    private FlightResult Failed(
        VaultRow row, long read, AccessTokenRequest request, bool complain, string detail, TimeSpan wait)
    {
        if (!request.ForceRefresh && row is { AccessToken: not null, AccessRemaining: { } left } && left > TimeSpan.FromSeconds(1))
        {
            return Serve(row, read);
        }

        return new FlightResult(complain ? AccessTokenOutcome.ProviderError : AccessTokenOutcome.ProviderUnavailable)
        {
            Connection = row.Connection,
            RetryAfter = wait,
            Detail = complain ? $"The provider refuses the request ({detail})." : $"The provider does not answer as it should ({detail}).",
        };
    }

    private CachedToken Cached(VaultRow row, Secret token, TimeSpan remaining, long at) => new()
    {
        Id = row.Id,
        Owner = row.Owner,
        Connection = row.Connection,
        TokenType = row.TokenType,
        Scope = row.Scope,
        Version = row.Version,
        Lifetime = row.AccessLifetime,
        At = at,
        RemainingAt = remaining,
        AgeAt = row.SinceRefresh,
        Sealed = cache.Seal(token.Bytes, row.Id, row.Owner, row.Version),
    };

    private void Audit(VaultRow row, string action, string outcome) => audit(new AuditEvent
    {
        At = clock.GetUtcNow(),
        Actor = row.Owner,
        Action = action,
        Target = $"tokens/{row.Id} {row.Connection}",
        Outcome = outcome,
    });

    private static FlightResult NeedsConsent(VaultRow row, ReconsentCause cause) => new(AccessTokenOutcome.NeedsConsent)
    {
        Connection = row.Connection,
        Cause = cause,
        Detail = cause switch
        {
            ReconsentCause.Refused => "The provider does not accept the stored token any more: consent was withdrawn, or it has expired.",
            ReconsentCause.RotationLost => "The provider has replaced the stored token, and the new one was lost on the way.",
            ReconsentCause.Interrupted => "Two attempts to refresh the token were cut off.",
            ReconsentCause.ConnectionChanged => "The connection is configured with another provider or client than the token was made for.",
            _ => "What is stored cannot be read as this token.",
        },
    };

    private static FlightResult Unavailable(string detail) =>
        new(AccessTokenOutcome.VaultUnavailable) { Detail = detail, RetryAfter = DatabaseRetry };
}
