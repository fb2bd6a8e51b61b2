using System.Collections.Concurrent;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Reads, writes, renews and removes the session cookies of the edge origin and of workspace hosts.</summary>
internal sealed class SessionCookies(
    EdgeSettings settings, CookieProtector protector, ISessionState state, TimeProvider clock, SessionRefresh refresh)
{
    // Two of one name can stand in a header by accident (another path); a long row of them is an attack on our time.
    private const int MaximumTried = 4;
    private const int MostOver = 10_000;
    private static readonly object Decided = new();
    private static readonly object Newest = new();

    // What a cookie says never changes, so one that was opened need not be opened for every request of its browser; whether it still counts
    // is asked each time. 10,000 browsers, 10 MB at most. Only cookies of ours get in: nobody can push the others out with made-up ones.
    // They are their own keys here: who can read this memory finds the key to all of them beside it.
    private readonly TokenCache<OpenedCookie> _opened = new(10_000);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _over = new(StringComparer.Ordinal);
    private readonly CookieNames _names = new(settings.IsHttps, settings.IsPathPrefix);

    /// <summary>Names of the cookies here.</summary>
    public CookieNames Names => _names;

    /// <summary>
    /// The live session of this request with claims that are new enough, or null. Call once per request: a session in use is renewed on the
    /// way. Waits for nobody while the claims are young.
    /// </summary>
    public async ValueTask<EdgeSession?> ReadAsync(HttpContext context, CanonicalRequest request)
    {
        if (await FindAsync(context, request) is not { } session)
        {
            return null;
        }

        var now = await refresh.FollowAsync(session, context.RequestAborted);
        if (now is null)
        {
            Refused(context, session);
        }
        else if (now.ClaimsAt != session.ClaimsAt)
        {
            WriteOnStarting(context, request, now);
        }

        return now;
    }

    /// <summary>
    /// The live session of the cookie. One that has been idle for too long by its cookie is looked up: a WebSocket may have used it, which
    /// cannot renew a cookie.
    /// </summary>
    private ValueTask<EdgeSession?> FindAsync(HttpContext context, CanonicalRequest request) =>
        Read(context, request) is { } session ? new(session)
            : context.State().IdleSession is { } idle ? LookUpAsync(context, request, idle) : default;

    private EdgeSession? Read(HttpContext context, CanonicalRequest request)
    {
        var place = Place(request);
        var name = place.Name;

        // Nearly every request: one cookie of ours, which was opened before and needs nothing; no copy of it is made.
        if (Known(place, CookieHeader.SoleValueOf(context.Request.Headers, name)) is { } usual && IsLive(usual)
            && context.State().UsedElsewhere is null)
        {
            Renew(context, request, usual);
            return usual;
        }

        var (any, readable) = (false, false);
        foreach (var value in CookieHeader.ValuesOf(context.Request.Headers, name).Take(MaximumTried))
        {
            any = true;
            if (Open(place, value) is not { } session)
            {
                continue;
            }

            readable = true;
            if (context.State().UsedElsewhere is { } used && used.SessionId == session.Id)
            {
                session = session with { RenewedAt = used.At };
            }

            if (StateOf(session) == SessionState.IdleExpired)
            {
                context.State().IdleSession = session;
            }

            if (IsLive(session))
            {
                Renew(context, request, session);
                return session;
            }

            Refused(context, session);
        }

        if (any && !readable)
        {
            context.State().HasUnreadableCookie = true;
        }

        return null;
    }

    /// <summary>Whether a session, wherever it came from, still holds: provider configured, times, revocation.</summary>
    public bool IsLive(EdgeSession session) =>
        StateOf(session) == SessionState.Active && IsOfAProvider(session);

    private bool IsOfAProvider(EdgeSession session)
    {
        foreach (var provider in settings.Issuers)
        {
            if (provider.Issuer == session.Issuer)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a session may be used now, and if not, why.</summary>
    public SessionState StateOf(EdgeSession session) =>
        settings.Sessions.StateOf(session.Times, state.StandingOf(session.Key), clock.GetUtcNow());

    /// <summary>Writes a session to the host of this request.</summary>
    public void Write(HttpContext context, CanonicalRequest request, EdgeSession session)
    {
        context.Items[Decided] = true;
        Append(context, Place(request).Name, Protected(request, session), maxAge: null);
        NoStore(context);
    }

    /// <summary>Removes the session of the host of this request.</summary>
    public void Delete(HttpContext context, CanonicalRequest request)
    {
        context.Items[Decided] = true;
        Delete(context, Place(request).Name);
    }

    /// <summary>Sets a cookie with the attributes that all of ours have.</summary>
    public void Append(HttpContext context, string name, string value, TimeSpan? maxAge) =>
        context.Response.Cookies.Append(name, value, Attributes(context, maxAge));

    /// <summary>
    /// Removes a cookie: same attributes, no life left (a browser ignores a __Host- cookie without Secure, deletions too).
    /// </summary>
    public void Delete(HttpContext context, string name) => Append(context, name, "", TimeSpan.Zero);

    /// <summary>What the caller of a request looks like to everything behind authentication.</summary>
    public Caller ToCaller(EdgeSession session)
    {
        var (isAdministrator, missing) = Administrators.Decide(
            settings, session.Issuer, session.Subject, session.IsAdministratorByClaim, session.ProvenAt, clock.GetUtcNow());
        return session.Caller.Find(session, isAdministrator, missing)
            ?? session.Caller.Keep(session, ToCaller(session, isAdministrator, missing));
    }

    private static Caller ToCaller(EdgeSession session, bool isAdministrator, StepUpSettings? missing) => new()
    {
        Kind = CallerKind.Session,
        Issuer = session.Issuer,
        Subject = session.Subject,
        Email = session.Email,
        Name = session.Name,
        IsAdministrator = isAdministrator,
        MissingStepUp = missing,
        SessionId = session.Id,
        Epoch = session.Epoch,
        ExpiresAt = session.ExpiresAt,
    };

    private EdgeSession? Open(CookiePlace place, string value)
    {
        if (value.Length > CookieProtector.MaximumLength)
        {
            return null;
        }

        if (Known(place, value) is { } known)
        {
            return known;
        }

        var session = protector.Unprotect(place.Purpose, place.Binding, value) is { } bytes ? SessionCodec.Read(bytes) : null;
        if (session is not null)
        {
            _opened.Add(value, new OpenedCookie(session, place.Purpose, place.Binding));
        }

        return session;
    }

    // What it was opened for is looked at each time: in another place the same cookie is no session.
    private EdgeSession? Known(CookiePlace place, ReadOnlySpan<char> value) =>
        _opened.Find(value) is { } known && place.IsOf(known) ? known.Session : null;

    private async ValueTask<EdgeSession?> LookUpAsync(HttpContext context, CanonicalRequest request, EdgeSession session)
    {
        // A tab that was left open asks for ever with the cookie of a session that is over: once a minute is often enough.
        var now = clock.GetUtcNow();
        if (_over.TryGetValue(session.Id, out var askAgain) && now < askAgain)
        {
            return null;
        }

        DateTimeOffset? end;
        try
        {
            end = await state.IdleEndAsync(session.Key, context.RequestAborted);
        }
        catch (AccountsUnavailableException)
        {
            return null;
        }

        if (end is { } later && later > now)
        {
            context.State().UsedElsewhere = new(session.Id, later - settings.Sessions.Idle);
            return Read(context, request);
        }

        if (_over.Count >= MostOver)
        {
            _over.Clear();
        }

        _over[session.Id] = now + TimeSpan.FromMinutes(1);
        return null;
    }

    private static void NoStore(HttpContext context) => context.Response.Headers.CacheControl = "no-store";

    private CookiePlace Place(CanonicalRequest request) => request.HostKind == HostKind.Edge
        ? new(_names.Session, ProtectionPurpose.EdgeSession, null)
        : new(_names.Workspace, ProtectionPurpose.WorkspaceSession, request.Host);

    private void Renew(HttpContext context, CanonicalRequest request, EdgeSession session)
    {
        var now = clock.GetUtcNow();
        var times = settings.Sessions.Use(session.Times, now);
        if (times == session.Times && context.State().UsedElsewhere is null)
        {
            return;
        }

        WriteOnStarting(context, request, session with { RenewedAt = times.UsedAt });
        state.Touch(session.Key, now, settings.Sessions.IdleEnd(times));
    }

    // When the answer starts: a sign-in or logout on the way wins. No cache may keep an answer that carries a session, whatever the
    // workspace said. Of a new time and new claims both are written, in one cookie.
    private void WriteOnStarting(HttpContext context, CanonicalRequest request, EdgeSession session)
    {
        var isFirst = !context.Items.TryGetValue(Newest, out var before);
        context.Items[Newest] = before is EdgeSession { RenewedAt: var at } && at > session.RenewedAt
            ? session with { RenewedAt = at } : session;
        if (!isFirst)
        {
            return;
        }

        context.Response.OnStarting(() =>
        {
            if (!context.Items.ContainsKey(Decided) && context.Items[Newest] is EdgeSession newest && state.IsLive(newest.Key))
            {
                Append(context, Place(request).Name, Protected(request, newest), maxAge: null);
                NoStore(context);
            }

            return Task.CompletedTask;
        });
    }

    private void Refused(HttpContext context, EdgeSession session)
    {
        if (refresh.RefusalOf(session.Id) is { } refusal)
        {
            context.State().RefusedSession = new(session, refusal);
        }
    }

    private string Protected(CanonicalRequest request, EdgeSession session)
    {
        var place = Place(request);
        return protector.Protect(place.Purpose, place.Binding, SessionCodec.Write(session));
    }

    // No Expires: the browser forgets the session when it closes; the time-outs are inside, where nobody can change them.
    private CookieOptions Attributes(HttpContext context, TimeSpan? maxAge) => new()
    {
        HttpOnly = true,
        Secure = settings.IsHttps,
        SameSite = SameSiteMode.Lax,
        Path = context.State().Canonical?.Prefix + "/",
        IsEssential = true,
        MaxAge = maxAge,
    };
}
