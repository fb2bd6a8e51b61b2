namespace Berth.Edge;

/// <summary>Keeps what is known of people no older than their provider's RefreshAfter.</summary>
/// <remarks>
/// <code>
/// claims young                    -> the request goes on
/// claims in their last fifths     -> a renewal begins beside it; the request goes on
/// claims too old (somebody is back) -> the request waits for the renewal, 3 s at most; after a failure nobody waits until one succeeds
///
/// renewal: the newest ID token from the vault (one token request on however many replicas) -> verified -> rules
///   good          claims replace the old ones, here and in the cookie
///   rules refuse  the session ends everywhere, with 403 where it is known why
///   over          (invalid_grant, or the stored token is gone) the session ends everywhere
///   else          5xx, time-outs, database away, a token that does not verify: the session goes on as it was, tried again later
/// </code>
/// A cookie with older claims, from another tab or another host, gets the newest ones: it is never a reason to sign anybody out.
/// </remarks>
internal sealed class SessionRefresh(
    EdgeSettings settings, IdentityProviders providers, ISessionTokens tokens, ISessionState state, ISignInRecorder recorder,
    OpenConnections connections, TimeProvider clock, ILogger<SessionRefresh> logger, EdgeMetrics? metrics = null)
{
    /// <summary>How long a request waits whose claims are too old.</summary>
    public static readonly TimeSpan MostWait = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);
    private readonly TokenCache<Known> _known = new(100_000);
    private readonly TokenCache<RuleRefusal> _refusals = new(10_000);

    /// <summary>The session with the newest claims; null when it has just ended.</summary>
    public async ValueTask<EdgeSession?> FollowAsync(EdgeSession session, CancellationToken cancellationToken)
    {
        if (session.ClaimsAt is null || IssuerOf(session) is not { RefreshAfter: { } after } issuer)
        {
            return session;
        }

        var known = Remember(session);
        var newest = known.Newest(session);
        var need = RefreshPlan.Decide(session.Id, clock.GetUtcNow() - newest.ClaimsAt!.Value, after);
        if (need == RefreshNeed.None || Begin(known, newest, issuer) is not { } flight)
        {
            return newest;
        }

        if (need == RefreshNeed.Now && !known.HasFailed)
        {
            try
            {
                await flight.WaitAsync(MostWait, clock, cancellationToken);
            }
            catch (TimeoutException)
            {
                // It goes on; who comes after it has ended finds what it brought.
                known.HasFailed = true;
            }
        }

        return known.IsOver ? null : known.Newest(session);
    }

    /// <summary>Why a session ended, where the rules ended it and this replica saw it.</summary>
    public RuleRefusal? RefusalOf(string sessionId) => _refusals.Find(sessionId);

    /// <summary>Renews the claims of sessions that something is open for, and that ask for nothing themselves.</summary>
    public void FollowOpen()
    {
        foreach (var id in connections.Sessions())
        {
            if (_known.Find(id) is { IsOver: false } known && IssuerOf(known.Session) is { RefreshAfter: { } after } issuer
                && RefreshPlan.Decide(id, clock.GetUtcNow() - known.Session.ClaimsAt!.Value, after) != RefreshNeed.None)
            {
                _ = Begin(known, known.Session, issuer);
            }
        }
    }

    private IssuerSettings? IssuerOf(EdgeSession session) => settings.Issuers.FirstOrDefault(i => i.Issuer == session.Issuer);

    private Known Remember(EdgeSession session)
    {
        if (_known.Find(session.Id) is { } known)
        {
            return known;
        }

        // Two at once may both add one: the second one's stays, and what it lacks is asked for again at no more than a statement.
        known = new Known(session);
        _known.Add(session.Id, known);
        return known;
    }

    // Null while nothing is to be tried again yet.
    private Task? Begin(Known known, EdgeSession session, IssuerSettings issuer)
    {
        lock (known.Gate)
        {
            if (!known.Flight.IsCompleted)
            {
                return known.Flight;
            }

            if (known.IsOver || clock.GetUtcNow() < known.NotBefore)
            {
                return null;
            }

            // Begins on another thread: nothing of it runs under the lock, and no request's end ends it.
            return known.Flight = Task.Run(() => RunAsync(known, session, issuer), CancellationToken.None);
        }
    }

    private async Task RunAsync(Known known, EdgeSession session, IssuerSettings issuer)
    {
        try
        {
            var after = issuer.RefreshAfter!.Value;
            var answer = await tokens.GetAsync(session, issuer, RefreshPlan.YoungerThan(after));
            switch (answer.Kind)
            {
                case SessionTokenKind.Token:
                    await TakeAsync(known, session, issuer, answer);
                    break;
                case SessionTokenKind.Over:
                    SignInLog.RefreshOver(logger, issuer.Issuer, session.Id, answer.Detail);
                    metrics?.SessionRefreshed(issuer.Key, "over");
                    recorder.NoteRefusal(issuer.Issuer, "refresh-over", session.Subject);
                    await EndAsync(known, session);
                    break;
                default:
                    Fail(known, issuer, session, answer.Detail, answer.Kind == SessionTokenKind.Unusable ? after / 3 : FirstRetry);
                    break;
            }
        }
        catch (Exception e)
        {
            Fail(known, issuer, session, e.Message, FirstRetry);
        }
    }

    private async Task TakeAsync(Known known, EdgeSession session, IssuerSettings issuer, SessionTokenAnswer answer)
    {
        var now = clock.GetUtcNow();
        var at = DateTimeOffset.FromUnixTimeSeconds((now - answer.Age).ToUnixTimeSeconds());
        if (at <= session.ClaimsAt)
        {
            Fail(known, issuer, session, "the provider does not answer, and the last answer is known", FirstRetry);
            return;
        }

        // Its own end does not matter: it counts from when it was received.
        var provider = providers.ByIssuer(issuer.Issuer)!;
        var keys = provider.Current?.Keys ?? JwkSet.Empty;
        var problem = IdTokenVerifier.VerifyRenewed(answer.IdToken!, issuer, keys, session, now - answer.Age, out var claims);
        if (problem == TokenError.UnknownKey)
        {
            keys = await provider.KeysAfterMissAsync(CancellationToken.None);
            problem = IdTokenVerifier.VerifyRenewed(answer.IdToken!, issuer, keys, session, now - answer.Age, out claims);
        }

        if (claims is null)
        {
            Fail(known, issuer, session, $"the renewed ID token is not accepted ({problem})", issuer.RefreshAfter!.Value / 3);
            return;
        }

        if (issuer.Rules.Check(claims.Payload) is { } refusal)
        {
            _refusals.Add(session.Id, refusal);
            metrics?.SessionRefreshed(issuer.Key, "refused");
            recorder.NoteRefusal(issuer.Issuer, refusal.Reason, session.Subject);
            await EndAsync(known, session);
            return;
        }

        var renewed = Renewed(session, issuer, claims, at);
        known.Take(renewed);
        metrics?.SessionRefreshed(issuer.Key, "refreshed");
        if (session.IsAdministratorByClaim && !renewed.IsAdministratorByClaim)
        {
            // What is open was allowed to an administrator; whoever opens it again is looked at anew.
            connections.CutSession(session.Id);
        }
    }

    private static EdgeSession Renewed(EdgeSession session, IssuerSettings issuer, JwtClaims claims, DateTimeOffset at)
    {
        var person = PersonClaims.Read(claims.Payload);
        var saysHow = claims.Payload.TryGetProperty("acr", out _) || claims.Payload.TryGetProperty("amr", out _);
        return session with
        {
            Email = person.Email ?? session.Email,
            Name = person.Name ?? session.Name,
            IsAdministratorByClaim = Administrators.IsByClaim(issuer, claims.Payload),
            ProvenAt = saysHow ? issuer.StepUp?.ProvenAt(claims.Payload) : session.ProvenAt,
            ClaimsAt = at,
        };
    }

    private async Task EndAsync(Known known, EdgeSession session)
    {
        known.IsOver = true;
        connections.CutSession(session.Id);
        tokens.Forget(session);
        try
        {
            await state.RevokeAsync(session.Key, session.ExpiresAt, CancellationToken.None);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SignInLog.NotRevoked(logger, e, session.Id);
        }
    }

    private void Fail(Known known, IssuerSettings issuer, EdgeSession session, string problem, TimeSpan wait)
    {
        SignInLog.NotRefreshed(logger, issuer.Issuer, session.Id, problem);
        metrics?.SessionRefreshed(issuer.Key, "unavailable");
        known.HasFailed = true;

        // Half of it by chance, so that the sessions of a replica do not come back as one.
        lock (known.Gate)
        {
            known.NotBefore = clock.GetUtcNow() + (wait * (0.75 + (Random.Shared.NextDouble() / 2)));
        }
    }

    private sealed class Known(EdgeSession session)
    {
        private volatile EdgeSession _session = session;
        private volatile bool _isOver;
        private volatile bool _hasFailed;

        public Lock Gate { get; } = new();

        public Task Flight { get; set; } = Task.CompletedTask;

        public DateTimeOffset NotBefore { get; set; }

        public EdgeSession Session => _session;

        public bool IsOver
        {
            get => _isOver;
            set => _isOver = value;
        }

        public bool HasFailed
        {
            get => _hasFailed;
            set => _hasFailed = value;
        }

        /// <summary>Takes claims unless newer ones are here: an answer that comes late changes nothing.</summary>
        public void Take(EdgeSession renewed)
        {
            lock (Gate)
            {
                _session = renewed.ClaimsAt > _session.ClaimsAt ? renewed : _session;
                _hasFailed = false;
            }
        }

        /// <summary>What a cookie said, with the newest claims; of a cookie that knows more, this replica learns.</summary>
        public EdgeSession Newest(EdgeSession cookie)
        {
            var here = _session;
            if (cookie.ClaimsAt > here.ClaimsAt)
            {
                Take(cookie);
                return cookie;
            }

            return cookie with
            {
                Email = here.Email,
                Name = here.Name,
                IsAdministratorByClaim = here.IsAdministratorByClaim,
                ProvenAt = here.ProvenAt,
                ClaimsAt = here.ClaimsAt,
            };
        }
    }
}
