using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Consents in a browser: to the provider, and back.</summary>
/// <remarks>
/// <code>
/// GET offline-token: state, nonce and PKCE verifier are made and kept by the vault -> consent_url
/// provider asks the person
/// GET offline-token/callback: 1 parameters once each -> 2 signed in -> 3 state used up, of this person and session -> 4 iss (RFC 9207)
///   -> 5 error of the provider -> 6 code exchanged -> 7 ID token verified, of the same person where it is their own provider -> 8 stored
/// from 4 on, a consent that was begun with a place to return to goes back there, with the token's id or with what went wrong;
/// one without ends on a page (<see cref="ConsentForm"/>), for programs in JSON
/// </code>
/// </remarks>
internal sealed class ConsentFlow(
    EdgeSettings settings, ITokenVault vault, ITokenConsents consents, ConnectionProviders connections, ReturnTargets targets,
    AuditTrail audit, ConsentForm page, TimeProvider clock)
{
    /// <summary>Path of the callback; it has to be registered with each provider.</summary>
    public const string CallbackPath = ManagerForm.Prefix + "offline-token/callback";

    private string RedirectUri => settings.PublicOrigin + CallbackPath;

    /// <summary>Refuses where there is no vault.</summary>
    public void RequireVault()
    {
        if (vault is UnconfiguredVault)
        {
            throw new ConnectionException(ManagerErrors.VaultNotConfigured);
        }
    }

    /// <summary>The connection of a name; the only one when none is named.</summary>
    public (ConnectionSettings Settings, IdentityProvider Provider) Connection(string? name)
    {
        RequireVault();
        var names = connections.Names.ToList();
        if (name is null && names.Count != 1)
        {
            throw new ConnectionException(ManagerErrors.BadParameter("connection", $"is missing; there are {names.Count}: name one."));
        }

        return connections.Find(name ?? names[0])
            ?? throw new ConnectionException(ManagerErrors.ConnectionNotFound);
    }

    /// <summary>GET offline-token.</summary>
    public async Task BeginAsync(HttpContext context, Caller caller)
    {
        var query = context.Request.Query;
        var (connection, provider) = Connection(Single(query, "connection", 63));
        var target = Single(query, "return", ReturnTargets.MaximumLength);
        var purpose = ManagerEndpoints.Purpose(Single(query, "purpose", 1000));
        var url = await BeginAsync(caller, connection, provider, purpose, target, context.RequestAborted).ConfigureAwait(false);
        await ManagerForm.WriteAsync(
            context, 200, ManagerJson.Default.ConsentView,
            new ConsentView(url, connection.Vault.Name, (long)ITokenConsents.Life.TotalSeconds)).ConfigureAwait(false);
    }

    /// <summary>Begins a consent.</summary>
    /// <param name="caller">Who will own the token.</param>
    /// <param name="connection">Connection.</param>
    /// <param name="provider">Its provider.</param>
    /// <param name="purpose">What the token is for.</param>
    /// <param name="returnTo">Where the browser goes afterwards; null shows what became of it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The address to send the person's browser to.</returns>
    /// <exception cref="ConnectionException">The provider does not answer.</exception>
    /// <exception cref="AccountsUnavailableException">The database cannot be reached.</exception>
    public async Task<string> BeginAsync(
        Caller caller, ConnectionSettings connection, IdentityProvider provider, string purpose, string? returnTo,
        CancellationToken cancellationToken)
    {
        var metadata = (await SnapshotAsync(provider, cancellationToken).ConfigureAwait(false)).Metadata;
        var begun = await consents.BeginAsync(
            new ConsentRequest
            {
                Owner = ManagerEndpoints.Key(caller),
                SessionId = caller.SessionId,
                Connection = connection.Vault.Name,
                Purpose = purpose,
                ReturnTo = returnTo is null ? null : targets.Clean(returnTo),
            },
            cancellationToken).ConfigureAwait(false);
        (string, string?)[] parameters =
        [
            ("response_type", "code"),
            ("client_id", connection.Vault.ClientId),
            ("redirect_uri", RedirectUri),
            ("scope", string.Join(' ', connection.Vault.Scopes)),
            ("state", begun.State),
            ("nonce", begun.Nonce),
            ("code_challenge", begun.Challenge),
            ("code_challenge_method", "S256"),
            ("audience", connection.Vault.Audience),
            ("resource", connection.Vault.Resource),
            .. connection.AuthorizationParameters.Select(p => (p.Name, (string?)p.Value)),
        ];
        audit.Record(caller, "vault.consent-begin", $"connections/{connection.Vault.Name}", "allowed");
        return QueryParameters.Append(metadata.AuthorizationEndpoint, parameters);
    }

    /// <summary>GET offline-token/callback.</summary>
    public async Task CallbackAsync(HttpContext context, Caller caller)
    {
        // :: Step 1.
        var query = context.Request.Query;
        var (state, code) = (Single(query, "state", 256), Single(query, "code", 4096));
        var (iss, error) = (Single(query, "iss", 2048), Single(query, "error", 256));

        // :: Step 2. The consent comes back in a browser; a bearer token is not one.
        if (caller.SessionId is null)
        {
            throw new ConnectionException(ManagerErrors.SignInRequired);
        }

        // :: Step 3.
        RequireVault();
        var consent = state is null || !SignInFlow.IsState(state) ? null : await consents.TakeAsync(
            state, ManagerEndpoints.Key(caller), caller.SessionId, context.RequestAborted).ConfigureAwait(false);
        if (consent is null || connections.Find(consent.Connection) is not { } found)
        {
            throw new ConnectionException(ManagerErrors.ConsentUnknown);
        }

        StoredToken stored;
        try
        {
            stored = await FinishAsync(caller, consent, found, iss, code, error, context.RequestAborted).ConfigureAwait(false);
        }
        catch (ConnectionException refused) when (consent.ReturnTo is not null)
        {
            // Whoever asked to be sent back is sent back with what went wrong, and not left before a page of JSON.
            LoginEndpoint.Redirect(context, $"{Continued(consent.ReturnTo)}error={refused.Error.Code}&connection={consent.Connection}");
            return;
        }

        audit.Record(caller, "vault.consent", $"tokens/{stored.Id}", "allowed");
        if (consent.ReturnTo is { } target)
        {
            // The id is no credential: it gives nothing to anybody but its owner.
            LoginEndpoint.Redirect(context, $"{Continued(target)}persistent_token_id={stored.Id}");
            return;
        }

        var written = ConsentForm.IsFor(context)
            ? page.WriteStoredAsync(context, stored, new Uri(found.Settings.Issuer.Issuer).Authority)
            : ManagerForm.WriteAsync(context, 200, ManagerJson.Default.StoredTokenView, ManagerEndpoints.View(stored));
        await written.ConfigureAwait(false);
    }

    /// <summary>Verifies what a provider gave, and stores it as the caller's.</summary>
    /// <param name="caller">Owner from now on.</param>
    /// <param name="connection">Connection.</param>
    /// <param name="tokens">What the provider gave.</param>
    /// <param name="purpose">What it is for.</param>
    /// <param name="nonce">Nonce of the flow; null where there was none, and the ID token came straight from the provider.</param>
    /// <param name="brought">The refresh token that the caller came with, and still has; null for that of a consent.</param>
    /// <remarks>
    /// It has no cancellation: the provider has given the tokens, and a browser that went away must not leave a grant there of which nobody
    /// knows. Each step has a time limit of its own.
    /// </remarks>
    public async Task<StoredToken> StoreAsync(
        Caller caller, ConnectionSettings connection, ProviderTokens tokens, string purpose, string? nonce, string? brought)
    {
        if (tokens.Outcome != AccessTokenOutcome.Granted)
        {
            throw new ConnectionException(tokens.Outcome == AccessTokenOutcome.ProviderUnavailable
                ? ManagerErrors.ProviderUnavailable with { RetryAfter = tokens.RetryAfter ?? ManagerErrors.ProviderUnavailable.RetryAfter }
                : ManagerErrors.ProviderError);
        }

        if (tokens.RefreshToken is null)
        {
            throw new ConnectionException(ManagerErrors.NoOfflineAccess);
        }

        var own = connection.Issuer.Issuer == caller.Issuer;
        var (subject, session, problem) = await WhoAsync(connection, tokens, nonce, own).ConfigureAwait(false);
        problem ??= own && subject != caller.Subject ? ManagerErrors.AccountMismatch : null;
        if (problem is not null)
        {
            await consents.AbandonAsync(connection.Vault.Name, tokens.RefreshToken, CancellationToken.None).ConfigureAwait(false);
            throw new ConnectionException(problem);
        }

        var grant = new NewGrant
        {
            Owner = ManagerEndpoints.Key(caller),
            Connection = connection.Vault.Name,
            RefreshToken = tokens.RefreshToken,
            AccessToken = tokens.AccessToken,
            TokenType = tokens.TokenType,
            ExpiresIn = tokens.ExpiresIn,
            Scope = tokens.Scope ?? "",
            ProviderSubject = subject,
            ProviderSessionId = session ?? tokens.ProviderSessionId,
            Purpose = purpose,
        };
        try
        {
            return await vault.StoreAsync(grant, CancellationToken.None).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException) when (tokens.RefreshToken != brought)
        {
            // Nobody has it but us, and we cannot keep it.
            await consents.AbandonAsync(connection.Vault.Name, tokens.RefreshToken, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<StoredToken> FinishAsync(
        Caller caller, TakenConsent consent, (ConnectionSettings Settings, IdentityProvider Provider) found, string? iss, string? code,
        string? error, CancellationToken cancellationToken)
    {
        // :: Step 4.
        var snapshot = await SnapshotAsync(found.Provider, cancellationToken).ConfigureAwait(false);
        if (iss is null ? snapshot.Metadata.SendsIssuer : iss != found.Settings.Issuer.Issuer)
        {
            throw new ConnectionException(ManagerErrors.IssuerMismatch);
        }

        // :: Step 5.
        if (error is not null || code is null)
        {
            audit.Record(caller, "vault.consent", $"connections/{consent.Connection}", "refused");
            throw new ConnectionException(error == "access_denied"
                ? ManagerErrors.ConsentDenied
                : ManagerErrors.ProviderError with { Message = "The provider ended the consent with an error. Begin again." });
        }

        // :: Step 6. From here on nobody's impatience counts: see StoreAsync.
        var tokens = await consents.RedeemAsync(consent, code, RedirectUri, CancellationToken.None).ConfigureAwait(false);

        // :: Steps 7 and 8.
        return await StoreAsync(caller, found.Settings, tokens, consent.Purpose, consent.Nonce, brought: null).ConfigureAwait(false);
    }

    private async Task<(string? Subject, string? Session, ConnectionError? Problem)> WhoAsync(
        ConnectionSettings connection, ProviderTokens tokens, string? nonce, bool own)
    {
        var refused = ManagerErrors.ProviderError with { Message = "The provider's answer could not be verified. Begin again." };
        if (tokens.IdToken is null)
        {
            // Without one nobody knows whose it is: fine for an API of another provider, not for the person's own.
            return nonce is null && !own ? (null, null, null) : (null, null, refused);
        }

        var provider = connections.Find(connection.Vault.Name)!.Value.Provider;
        JwkSet keys;
        try
        {
            keys = (await provider.GetAsync(CancellationToken.None).ConfigureAwait(false)).Keys;
        }
        catch (ProviderUnavailableException)
        {
            return (null, null, refused);
        }

        var expected = nonce ?? StrictJson.ParseObject(Payload(tokens.IdToken))?.Text("nonce") ?? "";
        var error = IdTokenVerifier.Verify(
            tokens.IdToken, connection.Issuer, keys, expected, tokens.AccessToken, clock.GetUtcNow(), out var claims);
        if (error == TokenError.UnknownKey)
        {
            keys = await provider.KeysAfterMissAsync(CancellationToken.None).ConfigureAwait(false);
            error = IdTokenVerifier.Verify(
                tokens.IdToken, connection.Issuer, keys, expected, tokens.AccessToken, clock.GetUtcNow(), out claims);
        }

        return claims is null
            ? (null, null, refused)
            : (claims.Payload.Text("sub", 255), claims.Payload.Text("sid", 255) ?? claims.Payload.Text("session_state", 255), null);
    }

    private static byte[] Payload(string token) => token.Split('.') is [_, var payload, _] ? StrictBase64Url.Decode(payload) ?? [] : [];

    private static async Task<ProviderSnapshot> SnapshotAsync(IdentityProvider provider, CancellationToken cancellationToken)
    {
        try
        {
            return await provider.GetAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ProviderUnavailableException)
        {
            throw new ConnectionException(ManagerErrors.ProviderUnavailable);
        }
    }

    private static string Continued(string target) => target + (target.Contains('?', StringComparison.Ordinal) ? '&' : '?');

    private static string? Single(IQueryCollection query, string name, int maximum) =>
        QueryParameters.TrySingle(query, name, maximum, out var value)
            ? value
            : throw new ConnectionException(ManagerErrors.BadParameter(name, "is given twice, is too long, or holds control characters."));
}
