namespace Berth.Edge;

/// <summary>Routes about requests; part of <see cref="ApiRoutes.All"/>.</summary>
internal static class RequestRoutes
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        new("GET", "/api/requests/{id}", "explainRequest",
            "What became of a recent request, and why: the id is in its X-Request-Id, on the page and in the log; administrators only",
            "Request", [200, 403, 404], static h => h.Requests.ExplainAsync) { Scope = TokenScopes.Admin },
    ];
}

/// <summary>Tells administrators what became of a request.</summary>
internal sealed class RequestHandlers(RequestHistory history, RequestIds ids, EdgeSettings settings, AuditTrail audit)
{
    public Task ExplainAsync(HttpContext context, Caller caller)
    {
        var view = Explain(caller, (string)context.Request.RouteValues["id"]!);
        context.Response.ContentType = "application/json; charset=utf-8";
        return StatedBody.WriteAsync(context, view, EdgeJson.Default.RequestView);
    }

    /// <summary>Looks a request up.</summary>
    /// <exception cref="ProblemException">It is not known here, or not for this caller.</exception>
    public RequestView Explain(Caller caller, string id)
    {
        if (!caller.IsAdministrator)
        {
            audit.Record(caller, "request.explain", "requests", "refused");
            throw new ProblemException(403, "administrators-only", "For administrators only",
                "Only administrators may see why a request was answered as it was. Give them its id.");
        }

        var replica = RequestIds.ReplicaOf(id) ?? throw new ProblemException(404, "request-not-found", "There is no such request",
            "This is not the id of a request; it is in the header X-Request-Id of its answer, on the page and in the log.");
        if (replica != ids.Replica)
        {
            throw new ProblemException(404, "request-elsewhere", "Another replica answered this request",
                $"It was answered by the replica {replica}, and this is {ids.Replica}. Ask that one; what a replica "
                    + "knew is lost when it ends.");
        }

        return RequestView.Of(
            history.Find(id) ?? throw new ProblemException(404, "request-not-found", "This request is not known any more",
                $"A replica remembers its last {RequestHistory.Refusals} refusals and {RequestHistory.Successes} other requests."),
            replica, settings.Sessions.Absolute);
    }
}

/// <summary>A request as the API tells it.</summary>
internal sealed record RequestView
{
    public required string Id { get; init; }

    public required string Replica { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Method { get; init; }

    public string? Host { get; init; }

    public string? HostKind { get; init; }

    public string? Path { get; init; }

    public required string Route { get; init; }

    public required string Rule { get; init; }

    public required string Caller { get; init; }

    public string? Issuer { get; init; }

    public string? KeyId { get; init; }

    public string? TokenError { get; init; }

    public string? Claim { get; init; }

    public double? SkewSeconds { get; init; }

    public double? SessionAgeSeconds { get; init; }

    public string? Workspace { get; init; }

    public string? Upstream { get; init; }

    public string? Outcome { get; init; }

    public required int Status { get; init; }

    public required double Milliseconds { get; init; }

    /// <summary>Tells a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="replica">Where it was kept.</param>
    /// <param name="absolute">How long sessions last: their ends tell their beginnings.</param>
    public static RequestView Of(RequestRecord record, string replica, TimeSpan absolute)
    {
        var caller = record.Caller ?? record.Notes?.Refused;
        var token = record.Notes?.Token;
        return new RequestView
        {
            Id = record.Id,
            Replica = replica,
            At = record.At,
            Method = record.Method,
            Host = record.Host,
            HostKind = record.HostKind?.ToString().ToLowerInvariant(),
            Path = record.Path,
            Route = record.Route,
            Rule = record.Notes is { Rule.Length: > 0 } notes ? notes.Rule : record.Access is { } access ? $"allowed: {access.Role}"
                : "served",
            Caller = caller switch
            {
                null => "none",
                { PersonalToken: not null } => "personal-token",
                { Kind: var kind } => kind.ToString().ToLowerInvariant(),
            },
            Issuer = caller?.Issuer ?? token?.Issuer,
            KeyId = caller?.KeyId ?? token?.KeyId,
            TokenError = token?.Error.ToString(),
            Claim = token?.Claim,
            SkewSeconds = token?.Skew?.TotalSeconds,
            SessionAgeSeconds = caller is { Kind: CallerKind.Session } ? (record.At - (caller.ExpiresAt - absolute)).TotalSeconds : null,
            Workspace = record.Access?.Workspace.Name,
            Upstream = record.Access?.Workspace.Target is { } target ? $"{target.Host}:{target.Port}" : null,
            Outcome = record.Forwarding?.ToString(),
            Status = record.Status,
            Milliseconds = Math.Round(record.Duration.TotalMilliseconds, 1),
        };
    }
}
