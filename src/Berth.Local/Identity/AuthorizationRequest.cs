using Microsoft.Extensions.Primitives;

namespace Berth.Local.Identity;

/// <summary>An authorization request that was checked (OpenID Connect Core 3.1.2.1 with PKCE, RFC 7636).</summary>
internal sealed record AuthorizationRequest(
    string ClientId,
    string RedirectUri,
    string Scope,
    string? State,
    string? Nonce,
    string CodeChallenge,
    string? LoginHint,
    IReadOnlySet<string> Prompt,
    int? MaxAge
)
{
    private static readonly string[] Known =
    [
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
        "prompt",
        "max_age",
    ];

    /// <summary>
    /// Checks a request. Where client or redirect URI are wrong nothing is sent to that URI (RFC 6749, 4.1.2.1): the person sees the
    /// message instead.
    /// </summary>
    public static Result Parse(IEnumerable<KeyValuePair<string, StringValues>> parameters, DevelopmentProviderOptions options)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        string? duplicate = null;
        foreach (var (name, value) in parameters)
        {
            if (value.Count > 1 && Known.Contains(name))
            {
                duplicate = name;
            }

            values[name] = value.ToString();
        }

        string? Get(string name) => values.TryGetValue(name, out var v) && v.Length > 0 ? v : null;
        if (duplicate is "client_id" or "redirect_uri")
        {
            return Result.ForPerson($"The parameter {duplicate} is there twice.");
        }

        if (options.Find(Get("client_id")) is not { } client)
        {
            return Result.ForPerson("The application is not known here (client_id).");
        }

        var redirectUri = Get("redirect_uri");
        if (redirectUri is null || !client.RedirectUris.Contains(redirectUri, StringComparer.Ordinal))
        {
            return Result.ForPerson("The address to return to (redirect_uri) is not registered for this application.");
        }

        var state = Get("state");
        Result Fail(string error, string description) => Result.ForClient(redirectUri, state, error, description);
        if (duplicate is not null)
        {
            return Fail("invalid_request", $"The parameter {duplicate} is there twice.");
        }

        if (Get("response_type") != "code")
        {
            return Fail("unsupported_response_type", "Only response_type=code is offered.");
        }

        if (Get("response_mode") is not (null or "query"))
        {
            return Fail("invalid_request", "Only response_mode=query is offered.");
        }

        var scope = Get("scope") ?? "";
        if (!scope.Split(' ').Contains("openid"))
        {
            return Fail("invalid_scope", "The scope must contain openid.");
        }

        var challenge = Get("code_challenge");
        if (challenge is null || Get("code_challenge_method") != "S256" || challenge.Length != 43)
        {
            return Fail("invalid_request", "PKCE is required: a code_challenge of 43 characters with code_challenge_method=S256.");
        }

        int? maxAge = null;
        if (Get("max_age") is { } text)
        {
            if (!int.TryParse(text, out var seconds) || seconds < 0)
            {
                return Fail("invalid_request", "max_age must be a number of seconds.");
            }

            maxAge = seconds;
        }

        var prompt = (Get("prompt") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet();
        if (prompt.Contains("none") && prompt.Count > 1)
        {
            return Fail("invalid_request", "prompt=none stands alone.");
        }

        return Result.Of(
            new AuthorizationRequest(
                client.Id,
                redirectUri,
                scope,
                state,
                Get("nonce"),
                challenge,
                Get("login_hint"),
                prompt,
                maxAge
            )
        );
    }

    /// <summary>A checked request, or who is told what is wrong with it.</summary>
    public sealed record Result(
        AuthorizationRequest? Request,
        string? MessageForPerson,
        string? RedirectUri,
        string? State,
        string? Error,
        string? Description
    )
    {
        public static Result Of(AuthorizationRequest request) => new(request, null, null, null, null, null);

        public static Result ForPerson(string message) => new(null, message, null, null, null, null);

        public static Result ForClient(string redirectUri, string? state, string error, string description) =>
            new(null, null, redirectUri, state, error, description);
    }
}
