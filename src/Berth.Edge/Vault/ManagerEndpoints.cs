using Berth.Accounts;

namespace Berth.Edge;

/// <summary>The calls of the token manager that need no browser.</summary>
internal sealed class ManagerEndpoints(
    ITokenVault vault, ITokenConsents consents, ConsentFlow flow, AuditTrail audit, TimeProvider clock)
{
    private const string Begin = ManagerForm.Prefix + "offline-token?connection=";
    private const int MaximumPurpose = 100;
    private const int MaximumToken = 16 * 1024;

    // A hand-out is audited once for each token, version and caller: who calls a thousand times a second fills no audit log.
    private static readonly TimeSpan AuditInterval = TimeSpan.FromHours(1);
    private readonly OneTimeIds _audited = new(clock, AuditInterval, 100_000);

    /// <summary>GET validate-token. Whoever gets here has been validated; the answer says as whom.</summary>
    public Task ValidateAsync(HttpContext context, Caller caller) => ManagerForm.WriteAsync(
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

        var token = result.Token ?? throw new ConnectionException(ManagerErrors.FromVault(result, id, Begin));
        await ManagerForm.WriteAsync(
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
            throw new ConnectionException(ManagerErrors.ConsentRequired
                .With("connection", settings.Vault.Name)
                .With("begin", $"{Begin}{settings.Vault.Name}&purpose={Uri.EscapeDataString(purpose)}"));
        }

        if (brought.Length > MaximumToken)
        {
            throw new ConnectionException(ManagerErrors.BadParameter("refresh_token", "is longer than 16 KiB."));
        }

        var tokens = await consents.AdoptAsync(settings.Vault.Name, brought, context.RequestAborted)
            .ConfigureAwait(false);
        if (tokens.Outcome == AccessTokenOutcome.NeedsConsent)
        {
            throw new ConnectionException(ManagerErrors.RefreshTokenRefused);
        }

        var stored = await flow.StoreAsync(caller, settings, tokens, purpose, nonce: null, brought).ConfigureAwait(false);
        audit.Record(caller, "vault.adopt", $"tokens/{stored.Id}", "allowed");
        await ManagerForm.WriteAsync(context, 201, ManagerJson.Default.StoredTokenView, View(stored)).ConfigureAwait(false);
    }

    /// <summary>DELETE offline-token-id.</summary>
    public async Task RevokeAsync(HttpContext context, Caller caller)
    {
        flow.RequireVault();
        var id = Id(context, "id");
        var dryRun = Flag(context, "dryRun");
        var done = await vault.RevokeAsync(id, Key(caller), dryRun, context.RequestAborted).ConfigureAwait(false)
            ?? throw new ConnectionException(ManagerErrors.TokenNotFound);
        await ManagerForm.WriteAsync(
            context, 200, ManagerJson.Default.RevocationView,
            new RevocationView(id, dryRun, done.Applied, done.SharedTokens, done.SharedSessions, done.Upstream switch
            {
                UpstreamRevocation.Queued => "queued",
                UpstreamRevocation.SharedToken => "kept-shared-token",
                UpstreamRevocation.SharedSession => "kept-shared-session",
                _ => "not-needed",
            })).ConfigureAwait(false);
    }

    /// <summary>The view of a stored token.</summary>
    public static StoredTokenView View(StoredToken token) =>
        new(token.Id, token.Connection, token.Scope, token.Purpose, token.CreatedAt);

    /// <summary>A purpose, checked.</summary>
    public static string Purpose(string? text) => text is null ? ""
        : text.Length <= MaximumPurpose && !text.Any(char.IsControl) ? text
        : throw new ConnectionException(
            ManagerErrors.BadParameter("purpose", $"is longer than {MaximumPurpose} characters or holds control characters."));

    /// <summary>Whose it is.</summary>
    public static PersonKey Key(Caller caller) => new(caller.Issuer, caller.Subject);

    private static Guid Id(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        return values.Count == 1 && Guid.TryParseExact(values.ToString(), "D", out var id)
            ? id
            : throw new ConnectionException(ManagerErrors.BadUuid(name));
    }

    private static bool Flag(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        return (values.Count, values.ToString()) switch
        {
            (0, _) or (1, "false") => false,
            (1, "" or "true") => true,
            _ => throw new ConnectionException(ManagerErrors.BadParameter(name, "is to be given once, as true or false.")),
        };
    }

    private static int? Whole(HttpContext context, string name, int maximum)
    {
        var values = context.Request.Query[name];
        return values.Count == 0 ? null
            : values.Count == 1 && int.TryParse(values.ToString(), System.Globalization.NumberStyles.None, null, out var number)
                && number <= maximum ? number
            : throw new ConnectionException(
                ManagerErrors.BadParameter(name, $"is to be given once, as a number of seconds from 0 to {maximum}."));
    }
}
