using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>One way in which a sign-in fails: docs/sign-in.md has the same table, and a test compares them.</summary>
/// <param name="Reason">Stable word.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Happened">What happened.</param>
/// <param name="Means">What it means.</param>
/// <param name="Next">What to do.</param>
internal sealed record SignInProblem(string Reason, int Status, string Happened, string Means, string Next)
{
    /// <summary>The page or problem document; the renderer adds the request id.</summary>
    public EdgeMessage ToMessage(EdgeSettings settings) => new()
    {
        Status = Status,
        Reason = Reason,
        Title = "Signing in did not work",
        Detail = $"{Happened} {Means} {Next} Nothing was changed: workspaces and files are as they were.",
        Actions = [new EdgeAction("Sign in again", settings.PublicOrigin + "/login")],
    };
}

/// <summary>Every step of a sign-in that can fail, with words of its own.</summary>
internal static class SignInProblems
{
    private const string Tell = "If it happens again, tell an administrator the request id below.";

    public static SignInProblem ProviderUnavailable { get; } = new("provider-unavailable", 503,
        "The identity provider does not answer, or what it says of itself does not fit the configuration.",
        "Nobody can sign in with it now; those who are signed in can go on.", "Try again in a moment.");

    public static SignInProblem Parameters { get; } = new("callback-parameters", 400,
        "The identity provider's answer cannot be read: something in it is given twice, is too long or was not asked for.",
        "It may have been changed on the way.", "Start again.");

    public static SignInProblem NoFlow { get; } = new("no-flow", 400,
        "This sign-in was not started in this browser, was finished already, or took longer than ten minutes.",
        "So that nobody can sign you in as somebody else, only the browser that began a sign-in can end it.",
        "Sign in again; it is started anew by itself once.");

    public static SignInProblem NoFlowAgain { get; } = NoFlow with
    {
        Means = "It was started anew and got lost again, so this browser seems to keep no cookies of this site.",
        Next = "Allow cookies for this site, or use another browser, then sign in again.",
    };

    public static SignInProblem Issuer { get; } = new("issuer-mismatch", 400,
        "The answer did not come from the provider that was asked.", "It is not used, whoever sent it.", "Start again.");

    public static SignInProblem Cancelled { get; } = new("access-denied", 400,
        "The sign-in was cancelled, or the provider did not allow it.", "The provider says no more than that.",
        "Sign in again; if you did not cancel it, ask whoever manages accounts there whether you may use this service.");

    public static SignInProblem Interaction { get; } = new("provider-error", 400,
        "The provider wants to ask something first.", "It did not sign you in.", "Sign in again.");

    public static SignInProblem ProviderBusy { get; } = Interaction with
    {
        Happened = "The identity provider has a problem right now.",
        Means = "It did not sign you in.",
        Next = "Try again in a moment.",
    };

    public static SignInProblem ProviderError { get; } = Interaction with
    {
        Happened = "The identity provider refused the sign-in.",
        Means = "Most often the service is registered there in another way than it is configured here.",
        Next = Tell,
    };

    public static SignInProblem Exchange { get; } = new("code-exchange", 502,
        "The identity provider did not confirm the sign-in.", "It did not answer, or the sign-in had been used already.", "Try again.");

    public static SignInProblem Client { get; } = new("code-exchange-client", 502,
        "The identity provider does not accept this service as its client.", "Nobody can sign in until that is corrected.",
        "Tell an administrator the request id below: they compare ClientId, ClientSecret and redirect URI with the registration.");

    public static SignInProblem Nonce { get; } = new("id-token-nonce", 400,
        "The identity provider's answer belongs to another sign-in.", "It may have been shown before, so it is not used.", "Start again.");

    public static SignInProblem Signature { get; } = new("id-token-signature", 400,
        "The signature of the identity provider's answer could not be verified.",
        "It was made with a key that the provider does not publish, or changed on the way.", $"Try again. {Tell}");

    public static SignInProblem Audience { get; } = new("id-token-audience", 400,
        "The identity provider's answer is for another service, or from another provider.",
        "It is not used: it was not made for this sign-in.", $"Start again. {Tell}");

    public static SignInProblem Clock { get; } = new("clock-skew", 400,
        "The clocks of the identity provider and of this service differ.", "Its answer is not valid at this time, or not any more.",
        "An administrator sets the clock that is wrong (NTP); then sign in again.");

    public static SignInProblem IdToken { get; } = new("id-token", 400,
        "The identity provider's answer lacks something, or says it in another form than the standard asks for.",
        "Who you are cannot be read from it.", Tell);

    public static SignInProblem RefreshToken { get; } = new("refresh-token-missing", 502,
        "The identity provider gave no refresh token.",
        "This service is set up to ask it again while you work (RefreshSessions), and could not.",
        "Tell an administrator the request id below: the client needs the scope offline_access, or refresh tokens switched on.");

    public static SignInProblem StepUp { get; } = new("step-up-not-met", 403,
        "You signed in, but not as strongly as an administrator has to.",
        "The provider did not say that it asked for what is configured. Your session here goes on as it was.",
        "Set up the second factor at the provider and try again, or go on without an administrator's rights.");

    public static SignInProblem Store { get; } = new("maintenance", 503,
        "The account store cannot be reached.", "People who are signed in can go on working; new sign-ins have to wait.",
        "Try again in a few minutes.");

    /// <summary>All, in the order of the steps; reasons may come more than once.</summary>
    public static ImmutableArray<SignInProblem> All { get; } =
    [
        ProviderUnavailable, Parameters, NoFlow, NoFlowAgain, Issuer, Cancelled, Interaction, ProviderBusy, ProviderError, Exchange, Client,
        Nonce, Signature, Audience, Clock, IdToken, RefreshToken, StepUp, Store,
    ];

    /// <summary>What an error of the provider means (RFC 6749, 4.1.2.1; OpenID Connect Core 3.1.2.6).</summary>
    public static SignInProblem OfProvider(string? error) => error switch
    {
        "access_denied" => Cancelled,
        "login_required" or "interaction_required" or "consent_required" or "account_selection_required"
            or "unmet_authentication_requirements" => Interaction,
        "temporarily_unavailable" or "server_error" => ProviderBusy,
        _ => ProviderError,
    };

    /// <summary>What a refused ID token means.</summary>
    /// <param name="error">Why it was refused.</param>
    /// <param name="idToken">The token, whose signature is good where the time is what was wrong.</param>
    /// <param name="now">The time here.</param>
    public static SignInProblem OfIdToken(TokenError error, string idToken, DateTimeOffset now) => error switch
    {
        TokenError.Nonce => Nonce,
        TokenError.Signature or TokenError.UnknownKey or TokenError.Algorithm => Signature,
        TokenError.Issuer or TokenError.Audience => Audience,
        TokenError.Time when ClockDifference.Of(idToken, now) is { } words => Clock with { Happened = words },
        _ => IdToken,
    };
}
