using System.Collections.Immutable;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>The calls of the token manager that need no browser.</summary>
internal sealed class ManagerEndpoints(
    ITokenVault vault, ITokenConsents consents, ConsentFlow flow, AuditTrail audit, TimeProvider clock)
{
    private const string Begin = ManagerPipeline.Prefix + "offline-token?connection=";
    private const int MaximumPurpose = 100;
    private const int MaximumToken = 16 * 1024;

    // A hand-out is audited once for each token, version and caller: who calls a thousand times a second fills no audit log.
    private static readonly TimeSpan AuditInterval = TimeSpan.FromHours(1);
    private readonly OneTimeIds _audited = new(clock, AuditInterval, 100_000);

    /// <summary>GET validate-token. Whoever gets here has been validated; the answer says as whom.</summary>
    public Task ValidateAsync(HttpContext context, Caller caller) => ManagerPipeline.WriteAsync(
        context, 200, ManagerJson.Default.ValidTokenView, new ValidTokenView
        {
            Valid = true,
            AuthenticatedBy = caller.Kind == CallerKind.Bearer ? "bearer" : "session",
            Issuer = caller.Issuer,
            Subject = caller.Subject,
            Scopes = caller.Kind == CallerKind.Bearer ? caller.Scopes : null,
            TokenId = caller.TokenId,
            ExpiresAt = caller.ExpiresAt,
            ExpiresIn = Math.Max(0, (long)(caller.ExpiresAt - clock.GetUtcNow()).TotalSeconds),
        });

    /// <summary>POST access-token.</summary>
    public async Task AccessTokenAsync(HttpContext context, Caller caller)
    {
        flow.RequireVault();
        var id = Id(context, "persistent_token_id");
        var minimum = Whole(context, "min_ttl", 86_400);
        var request = new AccessTokenRequest
        {
            ForceRefresh = Flag(context, "force_refresh"),
            MinimumLifetime = TimeSpan.FromSeconds(minimum ?? 0),
        };
        var result = await vault.GetAccessTokenAsync(id, Key(caller), request, context.RequestAborted).ConfigureAwait(false);
        var proof = caller.SessionId ?? caller.TokenId;
        if (_audited.TryUse($"{id} {caller.Issuer} {caller.Subject} {proof} {result.Outcome} {result.Token?.Version}"))
        {
            audit.Record(caller, "vault.access", $"tokens/{id}", result.Outcome == AccessTokenOutcome.Granted ? "allowed" : "refused");
        }

        var token = result.Token ?? throw Refusal(result, id);
        await ManagerPipeline.WriteAsync(
            context, 200, ManagerJson.Default.AccessTokenView,
            new AccessTokenView(token.Value, token.TokenType, (long)token.Remaining.TotalSeconds, token.Scope, token.TokenId))
            .ConfigureAwait(false);
    }

    /// <summary>POST offline-token-id.</summary>
    public async Task NewTokenAsync(HttpContext context, Caller caller)
    {
        var body = await ApiRequest.ReadAsync(context, ManagerJson.Default.NewTokenBody, static () => new NewTokenBody())
            .ConfigureAwait(false);
        var (settings, _) = flow.Connection(body.Connection);
        var purpose = Purpose(body.Purpose);
        if (body.RefreshToken is not { Length: > 0 } brought)
        {
            // No silent widening: another purpose is another consent.
            throw new ManagerException(409, "consent_required",
                "A new token needs the person's consent: send their browser to consent_url, which GET offline-token makes.")
            {
                Details = ImmutableSortedDictionary<string, string>.Empty
                    .Add("connection", settings.Vault.Name)
                    .Add("begin", $"{Begin}{settings.Vault.Name}&purpose={Uri.EscapeDataString(purpose)}"),
            };
        }

        if (brought.Length > MaximumToken)
        {
            throw ManagerException.Bad("refresh_token", "is longer than 16 KiB.");
        }

        var tokens = await consents.AdoptAsync(settings.Vault.Name, brought, context.RequestAborted)
            .ConfigureAwait(false);
        if (tokens.Outcome == AccessTokenOutcome.NeedsConsent)
        {
            throw new ManagerException(422, "refresh_token_refused",
                "The provider does not accept the refresh token for this connection's client. Nothing was stored.");
        }

        var stored = await flow.StoreAsync(caller, settings, tokens, purpose, nonce: null, context.RequestAborted).ConfigureAwait(false);
        audit.Record(caller, "vault.adopt", $"tokens/{stored.Id}", "allowed");
        await ManagerPipeline.WriteAsync(context, 201, ManagerJson.Default.StoredTokenView, View(stored)).ConfigureAwait(false);
    }

    /// <summary>DELETE offline-token-id.</summary>
    public async Task RevokeAsync(HttpContext context, Caller caller)
    {
        flow.RequireVault();
        var id = Id(context, "id");
        var dryRun = Flag(context, "dryRun");
        var done = await vault.RevokeAsync(id, Key(caller), dryRun, context.RequestAborted).ConfigureAwait(false) ?? throw NotFound();
        await ManagerPipeline.WriteAsync(
            context, 200, ManagerJson.Default.RevocationView,
            new RevocationView(id, dryRun, done.Applied, done.SharedTokens, done.SharedSessions, done.Upstream switch
            {
                UpstreamRevocation.Queued => "queued",
                UpstreamRevocation.SharedToken => "kept_shared_token",
                UpstreamRevocation.SharedSession => "kept_shared_session",
                _ => "not_needed",
            })).ConfigureAwait(false);
    }

    /// <summary>The view of a stored token.</summary>
    public static StoredTokenView View(StoredToken token) =>
        new(token.Id, token.Connection, token.Scope, token.Purpose, token.CreatedAt);

    /// <summary>A purpose, checked.</summary>
    public static string Purpose(string? text) => text is null ? ""
        : text.Length <= MaximumPurpose && !text.Any(char.IsControl) ? text
        : throw ManagerException.Bad("purpose", $"is longer than {MaximumPurpose} characters or holds control characters.");

    /// <summary>Whose it is.</summary>
    public static PersonKey Key(Caller caller) => new(caller.Issuer, caller.Subject);

    /// <summary>There is no vault.</summary>
    public static ManagerException NotConfigured() =>
        new(503, "vault_not_configured", "This installation has no token vault: an administrator has to configure keys and a database.");

    private static ManagerException NotFound() =>
        new(404, "token_not_found", "There is no stored token with this id that is yours.");

    private static ManagerException Refusal(AccessTokenResult result, Guid id)
    {
        switch (result.Outcome)
        {
            case AccessTokenOutcome.NotFound:
                return NotFound();
            case AccessTokenOutcome.Revoked:
                return new ManagerException(410, "token_revoked", "The stored token was revoked. Ask for consent to get another.");
            case AccessTokenOutcome.NeedsConsent:
                return new ManagerException(409, "reconsent_required", result.Detail + " The person has to consent anew.")
                {
                    Details = ImmutableSortedDictionary<string, string>.Empty
                        .Add("cause", Word(result.Cause))
                        .Add("persistent_token_id", id.ToString())
                        .Add("begin", $"{Begin}{result.Connection}"),
                };
            case AccessTokenOutcome.ProviderUnavailable:
                return new ManagerException(503, "provider_unavailable", result.Detail, result.RetryAfter ?? TimeSpan.FromSeconds(5));
            case AccessTokenOutcome.ProviderError:
                return new ManagerException(502, "provider_error", result.Detail, result.RetryAfter ?? TimeSpan.FromSeconds(30));
            default:
                return new ManagerException(503, "vault_unavailable", result.Detail, result.RetryAfter ?? TimeSpan.FromSeconds(5));
        }
    }

    private static string Word(ReconsentCause cause) => cause switch
    {
        ReconsentCause.RotationLost => "rotation_lost",
        ReconsentCause.Interrupted => "interrupted",
        ReconsentCause.ConnectionChanged => "connection_changed",
        ReconsentCause.Unreadable => "unreadable",
        _ => "refused",
    };

    private static Guid Id(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        return values.Count == 1 && Guid.TryParseExact(values.ToString(), "D", out var id)
            ? id
            : throw new ManagerException(400, "bad_uuid", $"Give '{name}' once, as a UUID such as 0198c0de-0000-7000-8000-000000000000.")
            {
                Details = ImmutableSortedDictionary<string, string>.Empty.Add("field", name),
            };
    }

    private static bool Flag(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        return (values.Count, values.ToString()) switch
        {
            (0, _) or (1, "false") => false,
            (1, "" or "true") => true,
            _ => throw ManagerException.Bad(name, "is to be given once, as true or false."),
        };
    }

    private static int? Whole(HttpContext context, string name, int maximum)
    {
        var values = context.Request.Query[name];
        return values.Count == 0 ? null
            : values.Count == 1 && int.TryParse(values.ToString(), System.Globalization.NumberStyles.None, null, out var number)
                && number <= maximum ? number
            : throw ManagerException.Bad(name, $"is to be given once, as a number of seconds from 0 to {maximum}.");
    }
}
