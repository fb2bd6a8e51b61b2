using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>What a personal access token may be allowed to do; pure. Sessions and access tokens of providers have no such bounds.</summary>
internal static class TokenScopes
{
    /// <summary>Calls of the API that only read.</summary>
    public const string ApiRead = "api:read";

    /// <summary>Calls of the API that change something.</summary>
    public const string ApiWrite = "api:write";

    /// <summary>Calls of other APIs through <c>/proxy/</c>.</summary>
    public const string Proxy = "proxy";

    /// <summary>The token vault, without giving consent.</summary>
    public const string Vault = "vault";

    /// <summary>
    /// Requests to workspaces themselves, WebSockets included: what their applications serve, not what the edge does with them.
    /// </summary>
    public const string Workspace = "workspace";

    /// <summary>What an administrator may, in the calls that the other scopes open, and the administrators' own calls.</summary>
    public const string Admin = "admin";

    /// <summary>Stands at what any token may, whatever its scopes.</summary>
    public const string Any = "";

    /// <summary>All of them with what they allow, in words.</summary>
    public static ImmutableArray<(string Name, string Description)> All { get; } =
    [
        (ApiRead, "read your workspaces, logs, preferences and documents"),
        (ApiWrite, "create, change, start, stop and delete them"),
        (Proxy, "call the services you have connected, through /proxy"),
        (Vault, "get access tokens of the services you have connected"),
        (Workspace, "use the applications in your workspaces, as your browser does"),
        (Admin, "act as an administrator"),
    ];

    /// <summary>Whether there is such a scope.</summary>
    public static bool IsKnown(string scope) => All.Any(s => s.Name == scope);

    /// <summary>Why a caller may not do something for lack of a scope.</summary>
    /// <param name="caller">Who; all but personal tokens pass.</param>
    /// <param name="required">The scope; <see cref="Any"/> for no particular one; null for what no personal token may do.</param>
    /// <returns>What is missing, in words; null when nothing is.</returns>
    public static string? Refusal(Caller? caller, string? required)
    {
        if (caller?.PersonalToken is null || required == Any)
        {
            return null;
        }

        return required is null ? "Personal access tokens cannot do this: sign in with a browser, or use an access token of your provider."
            : caller.Scopes.Contains(required) ? null
            : $"This needs a personal access token with the scope '{required}'; the token that was sent has "
                + $"{string.Join(", ", caller.Scopes.Select(s => $"'{s}'"))}. Make another one at {TokenPages.Path}.";
    }
}

/// <summary>The scope that an endpoint demands of a personal token; an endpoint without one takes none.</summary>
/// <param name="Scope">See <see cref="TokenScopes.Refusal"/>.</param>
internal sealed record RequiredScope(string? Scope);

/// <summary>The one place where scopes are demanded of what is routed; the API proxy, which is not, asks the same function.</summary>
internal sealed class TokenScopeMiddleware(RequestDelegate next, IEdgePages pages)
{
    /// <summary>Handles a request whose endpoint is known.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var required = context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope;
        if (TokenScopes.Refusal(context.GetCaller(), required) is not { } refusal)
        {
            return next(context);
        }

        return WriteAsync(context, pages, required, refusal);
    }

    /// <summary>Answers 403 for lack of a scope (RFC 6750, 3.1).</summary>
    public static Task WriteAsync(HttpContext context, IEdgePages pages, string? required, string refusal)
    {
        context.Response.Headers.WWWAuthenticate = required is null ? "Bearer error=\"insufficient_scope\""
            : $"Bearer error=\"insufficient_scope\", scope=\"{required}\"";
        return pages.WriteAsync(context, new EdgeMessage
        {
            Status = StatusCodes.Status403Forbidden,
            Reason = "insufficient-scope",
            Title = "The token does not allow this",
            Detail = refusal,
        });
    }
}
