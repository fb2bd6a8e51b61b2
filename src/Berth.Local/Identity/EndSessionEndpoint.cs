using Microsoft.AspNetCore.WebUtilities;

namespace Berth.Local.Identity;

/// <summary>
/// RP-Initiated Logout 1.0. Without an ID token or the session's identifier as hint the person is asked, so that another site cannot sign
/// them out.
/// </summary>
internal sealed class EndSessionEndpoint(DevelopmentProviderOptions options, GrantStore store, ProviderKey key, IssuerHolder issuer)
{
    public void Map(WebApplication app)
    {
        app.MapGet("/end_session", (HttpContext http) => HandleAsync(http, confirmed: false));
        app.MapPost(
            "/end_session",
            async (HttpContext http) =>
            {
                var sameOrigin = http.Request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin";
                await HandleAsync(http, confirmed: sameOrigin);
            }
        );
    }

    private async Task HandleAsync(HttpContext http, bool confirmed)
    {
        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : FormCollection.Empty;
        string? Get(string name) => http.Request.Query[name].Concat(form[name]).FirstOrDefault(v => !string.IsNullOrEmpty(v));

        var hint = Get("id_token_hint") is { } token ? key.Verify(token, "JWT") : null;
        var returnTo = Get("post_logout_redirect_uri");
        if (returnTo is not null && !options.PostLogoutRedirectUris.Contains(returnTo, StringComparer.Ordinal))
        {
            await ProviderPages.MessageAsync(
                http,
                "The address to return to (post_logout_redirect_uri) is not registered for this application.",
                StatusCodes.Status400BadRequest
            );
            return;
        }

        var id = http.Request.Cookies[AuthorizationEndpoint.SessionCookie];
        var session = store.FindSession(id);
        var hinted =
            hint is not null
            && (string?)hint["iss"] == issuer.Value
            && (session is null || (string?)hint["sub"] == session.Account.Subject);

        // The session's identifier is 256 random bits that only its relying party was told: whoever has it is no other site.
        var named = id is not null && Get("logout_hint") is { } logoutHint && Secrets.Same(logoutHint, GrantStore.SessionIdentifier(id));
        if (session is not null && !hinted && !named && !confirmed)
        {
            await ProviderPages.ConfirmSignOutAsync(http, session.Account);
            return;
        }

        if (id is not null)
        {
            store.EndSession(id);
            http.Response.Cookies.Delete(
                AuthorizationEndpoint.SessionCookie,
                new CookieOptions
                {
                    HttpOnly = true,
                    SameSite = SameSiteMode.Lax,
                    Path = "/",
                }
            );
        }

        if (returnTo is null)
        {
            await ProviderPages.MessageAsync(http, "You are signed out.", StatusCodes.Status200OK);
            return;
        }

        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = Get("state") is { } state ? QueryHelpers.AddQueryString(returnTo, "state", state) : returnTo;
    }
}
