using Microsoft.AspNetCore.WebUtilities;

namespace Berth.Local.Identity;

/// <summary>The page on which a person picks an account, and the redirect back with a code.</summary>
internal sealed class AuthorizationEndpoint(DevelopmentProviderOptions options, GrantStore store, IssuerHolder issuer, TimeProvider clock)
{
    internal const string SessionCookie = "berth_dev_idp";

    public void Map(WebApplication app)
    {
        app.MapGet("/authorize", (HttpContext http) => HandleAsync(http));
        app.MapPost("/authorize", (HttpContext http) => ChooseAsync(http));
    }

    private async Task HandleAsync(HttpContext http)
    {
        var checkedRequest = AuthorizationRequest.Parse(http.Request.Query, options);
        if (checkedRequest.Request is not { } request)
        {
            await RefuseAsync(http, checkedRequest);
            return;
        }

        var session = store.FindSession(http.Request.Cookies[SessionCookie]);
        var hinted = DevelopmentAccount.Find(request.LoginHint);
        if (request.Prompt.Contains("none"))
        {
            if (session is null || IsTooOld(session, request) || (hinted is not null && hinted != session.Account))
            {
                await RefuseAsync(
                    http,
                    AuthorizationRequest.Result.ForClient(request.RedirectUri, request.State, "login_required", "Nobody is signed in.")
                );
            }
            else
            {
                Answer(http, request, session, http.Request.Cookies[SessionCookie]!);
            }

            return;
        }

        var ask = request.Prompt.Contains("login") || request.Prompt.Contains("select_account") || request.Prompt.Contains("create");
        if (hinted is not null)
        {
            // The development promise: a hint that names an account signs it in, without a click.
            await SignInAsync(http, request, hinted);
        }
        else if (session is not null && !ask && !IsTooOld(session, request))
        {
            await AnswerOrAskAsync(http, request, session, http.Request.Cookies[SessionCookie]!);
        }
        else
        {
            await ProviderPages.ChooseAccountAsync(http, request.LoginHint);
        }
    }

    private async Task ChooseAsync(HttpContext http)
    {
        // The form posts to its own address, query included; a page of another origin cannot.
        if (
            http.Request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin")
            || (http.Request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != issuer.Value)
        )
        {
            await ProviderPages.MessageAsync(
                http,
                "The form came from another site, so nobody was signed in.",
                StatusCodes.Status403Forbidden
            );
            return;
        }

        var checkedRequest = AuthorizationRequest.Parse(http.Request.Query, options);
        if (checkedRequest.Request is not { } request)
        {
            await RefuseAsync(http, checkedRequest);
            return;
        }

        var form = http.Request.HasFormContentType ? await http.Request.ReadFormAsync(http.RequestAborted) : FormCollection.Empty;
        if (form["cancel"].Count > 0)
        {
            await RefuseAsync(
                http,
                AuthorizationRequest.Result.ForClient(request.RedirectUri, request.State, "access_denied", "The person went back.")
            );
        }
        else if (form["consent"] == "allow" && store.FindSession(http.Request.Cookies[SessionCookie]) is { } session)
        {
            Answer(http, request, session, http.Request.Cookies[SessionCookie]!);
        }
        else if (DevelopmentAccount.Find(form["account"]) is { } account)
        {
            await SignInAsync(http, request, account);
        }
        else
        {
            await ProviderPages.ChooseAccountAsync(http, form["account"]);
        }
    }

    private Task SignInAsync(HttpContext http, AuthorizationRequest request, DevelopmentAccount account)
    {
        if (http.Request.Cookies[SessionCookie] is { } old)
        {
            store.EndSession(old);
        }

        var id = store.AddSession(account);
        http.Response.Cookies.Append(
            SessionCookie,
            id,
            new CookieOptions
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Lax,
                Path = "/",
            }
        );
        return AnswerOrAskAsync(http, request, store.FindSession(id)!, id);
    }

    // Whoever made the link, a click of the person's own is between them and what lasts.
    private Task AnswerOrAskAsync(HttpContext http, AuthorizationRequest request, GrantStore.Session session, string sessionId)
    {
        if (request.Prompt.Contains("consent"))
        {
            return ProviderPages.AskConsentAsync(http, session.Account, request.Scope);
        }

        Answer(http, request, session, sessionId);
        return Task.CompletedTask;
    }

    private void Answer(HttpContext http, AuthorizationRequest request, GrantStore.Session session, string sessionId)
    {
        var code = store.AddCode(
            new Grant(
                session.Account,
                GrantStore.SessionIdentifier(sessionId),
                request.ClientId,
                request.RedirectUri,
                request.CodeChallenge,
                request.Nonce,
                request.Scope,
                session.AuthTime
            )
        );
        Redirect(http, request.RedirectUri, request.State, new() { ["code"] = code });
    }

    private async Task RefuseAsync(HttpContext http, AuthorizationRequest.Result result)
    {
        if (result.RedirectUri is null)
        {
            await ProviderPages.MessageAsync(http, result.MessageForPerson!, StatusCodes.Status400BadRequest);
            return;
        }

        Redirect(http, result.RedirectUri, result.State, new() { ["error"] = result.Error, ["error_description"] = result.Description });
    }

    private void Redirect(HttpContext http, string redirectUri, string? state, Dictionary<string, string?> parameters)
    {
        parameters["state"] = state;
        parameters["iss"] = issuer.Value;
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = QueryHelpers.AddQueryString(redirectUri, parameters.Where(p => p.Value is not null));
    }

    private bool IsTooOld(GrantStore.Session session, AuthorizationRequest request) =>
        request.MaxAge is { } seconds && clock.GetUtcNow() - session.AuthTime > TimeSpan.FromSeconds(seconds);
}
