using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Routes about personal access tokens; part of <see cref="ApiRoutes.All"/>.</summary>
internal static class TokenRoutes
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        new("GET", "/api/me/tokens", "listPersonalTokens",
            "Your personal access tokens, newest first; never the tokens themselves", "PersonalTokenList",
            [200], static h => h.Tokens.ListAsync),
        new("POST", "/api/me/tokens", "createPersonalToken",
            "Make a personal access token; the answer is the only place where it ever is. With the session of a browser only",
            "NewPersonalToken", [201, 400, 409, 413, 415, 422],
            static h => h.Tokens.CreateAsync) { Body = "CreatePersonalToken", Scope = null },
        new("DELETE", "/api/me/tokens/{token}", "revokePersonalToken", "Revoke it; it ends at once, everywhere", null, [204, 404],
            static h => h.Tokens.RevokeAsync),
    ];

    /// <summary>Name of the scheme by which such tokens are in the description.</summary>
    public const string Scheme = "personalToken";

    /// <summary>The scheme.</summary>
    public static JsonObject SecurityScheme() => new()
    {
        ["type"] = "http",
        ["scheme"] = "bearer",
        ["bearerFormat"] = PersonalTokenSecret.Prefix + "…",
        ["description"] = "A personal access token; an operation names the scope that it needs. Scopes: "
            + string.Join("; ", TokenScopes.All.Select(s => $"{s.Name}: {s.Description}")) + ".",
    };

    /// <summary>Who may call an operation.</summary>
    /// <param name="scope">Scope of personal tokens; null where none may.</param>
    /// <param name="isBrowserOnly">Whether it takes the session of a browser and nothing else.</param>
    public static JsonArray Security(string? scope, bool isBrowserOnly = false)
    {
        var ways = new JsonArray();
        if (!isBrowserOnly)
        {
            ways.Add(new JsonObject { ["bearer"] = new JsonArray() });
        }

        ways.Add(new JsonObject { ["session"] = new JsonArray() });
        if (scope is not null)
        {
            ways.Add(new JsonObject { [Scheme] = new JsonArray(scope) });
        }

        return ways;
    }
}

/// <summary>The calls of the API about personal access tokens.</summary>
internal sealed class TokenHandlers(PersonalTokenService tokens)
{
    public async Task ListAsync(HttpContext context, Caller caller)
    {
        var found = await tokens.ListAsync(caller, context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "application/json; charset=utf-8";
        var view = new TokenListView([.. found.Select(t => View(t, caller))]);
        await StatedBody.WriteAsync(context, view, EdgeJson.Default.TokenListView).ConfigureAwait(false);
    }

    public async Task CreateAsync(HttpContext context, Caller caller)
    {
        var body = await ApiRequest.ReadAsync(context, EdgeJson.Default.CreateToken, static () => new CreateToken()).ConfigureAwait(false);
        var (token, secret) = await tokens.CreateAsync(caller, body.Name, body.Scopes, body.ExpiresInDays, context.RequestAborted)
            .ConfigureAwait(false);
        context.Response.StatusCode = 201;
        context.Response.ContentType = "application/json; charset=utf-8";
        await StatedBody.WriteAsync(context, new CreatedTokenView
        {
            Id = token.Id,
            Name = token.Name,
            Scopes = token.Scopes,
            CreatedAt = token.CreatedAt,
            ExpiresAt = token.ExpiresAt,
            Token = secret,
        }, EdgeJson.Default.CreatedTokenView).ConfigureAwait(false);
    }

    public async Task RevokeAsync(HttpContext context, Caller caller)
    {
        await tokens.RevokeAsync(caller, (string)context.Request.RouteValues["token"]!, context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = 204;
    }

    private static TokenView View(PersonalToken token, Caller caller) => new()
    {
        Id = token.Id,
        Name = token.Name,
        Scopes = token.Scopes,
        CreatedAt = token.CreatedAt,
        ExpiresAt = token.ExpiresAt,
        LastUsedAt = token.LastUsedAt,
        Current = caller.PersonalToken == token.Id,
    };
}

/// <summary>A wish for a token.</summary>
internal sealed record CreateToken
{
    /// <summary>What it is for.</summary>
    public string? Name { get; init; }

    /// <summary>What it may do.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Days that it works; absent: the installation's default.</summary>
    public int? ExpiresInDays { get; init; }
}

/// <summary>A token, without itself.</summary>
internal sealed record TokenView
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>To the hour; absent when it was never used.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Whether it is the one that asks.</summary>
    public required bool Current { get; init; }
}

/// <summary>Tokens, newest first.</summary>
internal sealed record TokenListView(IReadOnlyList<TokenView> Items);

/// <summary>A token that was just made.</summary>
internal sealed record CreatedTokenView
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The token itself; it is in no other answer, ever.</summary>
    public required string Token { get; init; }
}
