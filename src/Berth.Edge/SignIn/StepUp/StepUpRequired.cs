namespace Berth.Edge;

/// <summary>What somebody is told who would be an administrator after authenticating more strongly (RFC 9470).</summary>
internal static class StepUpRequired
{
    /// <summary>Value of the parameter <see cref="Parameter"/>.</summary>
    public const string Administrator = "administrator";

    /// <summary>Parameter of /login that asks the provider for what administrators need.</summary>
    public const string Parameter = "step_up";

    private const string Text = "You are named as an administrator, but this needs a stronger sign-in, or a more recent one, than you have "
        + "here. Nothing was changed.";

    /// <summary>Where a session gets it, and comes back to a target.</summary>
    public static string LoginUrl(string target) => $"/login?{Parameter}={Administrator}&return={Uri.EscapeDataString(target)}";

    /// <summary>The problem for a call of the API; null where nothing is missing.</summary>
    public static ProblemException? For(Caller caller) => caller.MissingStepUp is not { } missing ? null
        : caller.Kind == CallerKind.Session
            ? new ProblemException(403, "step-up-required", "A stronger sign-in is needed", $"{Text} Follow loginUrl.")
            {
                LoginUrl = LoginUrl("/"),
            }
            : new ProblemException(401, "insufficient-user-authentication", "A stronger sign-in is needed",
                $"{Text} Get a token after authenticating as the challenge says.")
            {
                Challenge = missing.Challenge,
            };

    /// <summary>Answers on the way to a workspace: a page for a session, the challenge for a token.</summary>
    public static Task WriteAsync(HttpContext context, IEdgePages pages, Caller caller, string target, EdgeSettings settings)
    {
        if (caller.Kind == CallerKind.Session || caller.MissingStepUp is not { } missing)
        {
            return pages.WriteAsync(context, Message(caller, target, settings));
        }

        context.Response.Headers.WWWAuthenticate = missing.Challenge;
        return pages.WriteAsync(context, new EdgeMessage
        {
            Status = 401,
            Reason = "insufficient-user-authentication",
            Title = "A stronger sign-in is needed",
            Detail = $"{Text} Get a token after authenticating as the challenge says.",
        });
    }

    private static EdgeMessage Message(Caller caller, string target, EdgeSettings settings) => new()
    {
        Status = 403,
        Reason = "step-up-required",
        Title = "A stronger sign-in is needed",
        Detail = $"You are signed in as {caller.DisplayName}. {Text} Sign in more strongly, then you are brought back.",
        Actions =
        [
            new EdgeAction(EdgeMessages.SignInLabel, settings.PublicOrigin + LoginUrl(target)),
            new EdgeAction("Go to your own workspace", settings.PublicOrigin + "/"),
        ],
    };
}
