namespace Berth.Edge;

/// <summary>What somebody is told whom the rules do not let in.</summary>
internal static class RulePages
{
    /// <summary>After a sign-in: who they are there, why not here, and what to do.</summary>
    public static EdgeMessage Refused(
        EdgeSettings settings, IssuerSettings issuer, IReadOnlyList<string> prompts, string who, RuleRefusal refusal) => new()
        {
            Status = 403,
            Reason = refusal.Reason,
            Title = "You may not use this service",
            Detail = $"You are signed in at {issuer.DisplayName} as {who}, but {refusal.Because}. Nothing was changed, and nothing was "
            + "made for you here. Sign in as somebody else, or ask whoever runs this service, or manages your account there, "
            + "to let you in.",
            Actions =
        [
            new EdgeAction("Sign in as somebody else", $"{settings.PublicOrigin}/login?provider={issuer.Key}&prompt="
                + (prompts.Contains("select_account") ? "select_account" : "login")),
            new EdgeAction("Go to the first page", settings.PublicOrigin + "/"),
        ],
        };

    /// <summary>In the middle of a session that has just ended for it.</summary>
    public static EdgeMessage Refused(EdgeSettings settings, RefusedSession refused)
    {
        var session = refused.Session;
        return Refused(settings, settings.Issuers.First(i => i.Issuer == session.Issuer), [],
            session.Email ?? session.Name ?? session.Subject, refused.Refusal);
    }

    /// <summary>
    /// Whether a request to the edge's own origin is answered with that: calls of programs are. Pages lead to the sign-in, which asks anew,
    /// for the person may have been let in again.
    /// </summary>
    public static RefusedSession? AnswersFor(HttpContext context, CanonicalRequest request) =>
        request.Path.StartsWith("/api/", StringComparison.Ordinal) ? context.State().RefusedSession : null;
}
