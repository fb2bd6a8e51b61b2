using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// Authenticates the Authorization header (RFC 6750): access tokens of configured providers, JWTs by their signature and others by asking.
/// </summary>
internal sealed class BearerAuthenticator(
    EdgeSettings settings, IdentityProviders providers, TokenIntrospector introspector, ISessionState sessions, TimeProvider clock,
    ILogger<BearerAuthenticator> logger, PersonalTokenAuthenticator? personal = null, PeopleSeen? people = null)
{
    private const string Scheme = "Bearer ";
    private readonly TokenCache<VerifiedToken> _verified = new(10_000);

    /// <summary>
    /// Authenticates a header's value where personal access tokens are taken too: the place demands scopes (<see cref="TokenScopes"/>).
    /// </summary>
    /// <returns>The caller, or the reason why there is none.</returns>
    public async ValueTask<(Caller? Caller, TokenError Error)> AuthenticateScopedAsync(string header, CancellationToken cancellationToken)
    {
        if (personal is null || !IsPersonal(header))
        {
            return await AuthenticateAsync(header, cancellationToken);
        }

        var (caller, error) = await personal.AuthenticateAsync(header[Scheme.Length..].Trim(' '), cancellationToken);
        return caller is null ? Refuse(error) : Admit(caller);
    }

    /// <summary>Authenticates a header's value. Personal access tokens are refused: what asks here knows no scopes.</summary>
    /// <returns>The caller, or the reason why there is none.</returns>
    public async ValueTask<(Caller? Caller, TokenError Error)> AuthenticateAsync(string header, CancellationToken cancellationToken)
    {
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return Refuse(TokenError.Malformed);
        }

        // Never on to a provider: to introspection it would be an opaque token like others.
        if (IsPersonal(header))
        {
            return Refuse(TokenError.NoSuchToken);
        }

        var token = header[Scheme.Length..].Trim(' ');
        if (token.Length > JwsVerifier.MaximumLength)
        {
            return Refuse(TokenError.TooLong);
        }

        var now = clock.GetUtcNow();
        var hash = HashOf(token);
        if (FindVerified(hash) is { } known)
        {
            return Admit(known.Caller);
        }

        var error = JwsVerifier.Parse(token, JwsAlgorithms.All, out var jws);
        if (error != TokenError.None)
        {
            return introspector.Takes(token) ? await IntrospectAsync(token, hash, cancellationToken) : Refuse(error);
        }

        // The issuer a token claims only picks among the configured ones.
        if (AccessTokenVerifier.UnverifiedIssuer(jws!) is not { } issuer || providers.ByIssuer(issuer) is not { } provider)
        {
            return Refuse(TokenError.UnknownIssuer);
        }

        var keys = provider.Current?.Keys ?? JwkSet.Empty;
        error = AccessTokenVerifier.Verify(jws!, provider.Settings, keys, now, out var claims, out var signer);
        if (error == TokenError.UnknownKey)
        {
            keys = await provider.KeysAfterMissAsync(cancellationToken);
            error = AccessTokenVerifier.Verify(jws!, provider.Settings, keys, now, out claims, out signer);
        }

        if (claims is null)
        {
            return Refuse(error);
        }

        if (provider.Settings.Rules.Check(claims.Payload) is not null)
        {
            return Refuse(TokenError.PersonNotAllowed);
        }

        var caller = ToCaller(provider.Settings, claims) with { KeyId = signer!.KeyId };
        if (!caller.IsAdministrator || provider.Settings.StepUp?.MaxAge is null)
        {
            // An administrator for a while is looked at each time: the while may end before the token does.
            _verified.Add(hash, new VerifiedToken(caller, provider, signer));
        }

        return Admit(caller);
    }

    /// <summary>Whether the header's token is one that was verified before and counts still; nobody is asked.</summary>
    public bool IsVerified(string header) => IsPersonal(header) ? personal?.Remembers(header[Scheme.Length..].Trim(' ')) == true
        : header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && header.Length <= Scheme.Length + JwsVerifier.MaximumLength
        && FindVerified(HashOf(header.AsSpan(Scheme.Length).Trim(' '))) is not null;

    private static string HashOf(ReadOnlySpan<char> token)
    {
        Span<byte> few = stackalloc byte[2048];
        ReadOnlySpan<byte> utf8 = Encoding.UTF8.TryGetBytes(token, few, out var length)
            ? few[..length] : Encoding.UTF8.GetBytes(token.ToString());
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8, hash);
        return Convert.ToHexString(hash);
    }

    private VerifiedToken? FindVerified(string hash) =>
        _verified.Find(hash) is { } known && clock.GetUtcNow() < known.Caller.ExpiresAt + JwtClaims.Skew
            && known.Provider.Current?.Keys.Keys.Contains(known.Key) == true ? known : null;

    private static bool IsPersonal(string header) => header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && PersonalTokenSecret.Claims(header.AsSpan(Scheme.Length).Trim(' '));

    private async ValueTask<(Caller? Caller, TokenError Error)> IntrospectAsync(
        string token, string hash, CancellationToken cancellationToken)
    {
        var (claims, error) = await introspector.AskAsync(token, hash, cancellationToken);
        return claims is null ? Refuse(error)
            : introspector.Provider!.Settings.Rules.Check(claims.Payload) is not null ? Refuse(TokenError.PersonNotAllowed)
            : Admit(ToCaller(introspector.Provider!.Settings, claims));
    }

    // The token may be good for hours; that its person was disabled counts at once.
    private (Caller? Caller, TokenError Error) Admit(Caller caller)
    {
        if (sessions.IsDisabled(caller.Issuer, caller.Subject))
        {
            return Refuse(TokenError.PersonDisabled);
        }

        if (caller.PersonalToken is null)
        {
            people?.Note(caller);
        }

        return (caller, TokenError.None);
    }

    private (Caller? Caller, TokenError Error) Refuse(TokenError error)
    {
        SignInLog.BearerRefused(logger, error);
        return (null, error);
    }

    private Caller ToCaller(IssuerSettings issuer, JwtClaims claims)
    {
        var subject = claims.Payload.Text("sub", 255)!;
        var person = PersonClaims.Read(claims.Payload);
        var (isAdministrator, missing) = Administrators.Decide(
            settings, issuer.Issuer, subject, Administrators.IsByClaim(issuer, claims.Payload), issuer.StepUp?.ProvenAt(claims.Payload),
            clock.GetUtcNow());
        return new Caller
        {
            Kind = CallerKind.Bearer,
            Issuer = issuer.Issuer,
            Subject = subject,
            Email = person.Email,
            Name = person.Name,
            IsAdministrator = isAdministrator,
            MissingStepUp = missing,
            TokenId = claims.Payload.Text("jti", 256),
            Scopes = [.. (claims.Payload.Text("scope") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)],
            ExpiresAt = claims.ExpiresAt,
        };
    }
}

/// <summary>A token that was verified, with the key that did it: it counts while the provider has that key.</summary>
internal sealed record VerifiedToken(Caller Caller, IdentityProvider Provider, JwkKey Key);
