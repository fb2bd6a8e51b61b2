using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// The page on which people make and revoke personal access tokens. It needs no script; a new token is shown in the answer to its form and
/// never again.
/// </summary>
internal sealed class TokenPages(PageLayout layout, PersonalTokenService tokens, CsrfTokens csrf, TimeProvider clock)
{
    /// <summary>Path of the page.</summary>
    public const string Path = "/tokens";

    /// <summary>The list and the form.</summary>
    public Task ListAsync(HttpContext context, Caller caller) => WriteAsync(context, caller, new TokenForm(), problem: null, made: null);

    /// <summary>Makes a token.</summary>
    public async Task CreateAsync(HttpContext context, Caller caller, IFormCollection form)
    {
        var wish = TokenForm.Read(form);
        (PersonalToken, string)? made = null;
        ProblemException? problem = null;
        try
        {
            made = await tokens.CreateAsync(caller, wish.Name, wish.Scopes, wish.Days, context.RequestAborted).ConfigureAwait(false);
        }
        catch (ProblemException error) when (error.Status is 409 or 422 || error.Reason == "personal-tokens-off")
        {
            problem = error;
        }
        catch (AccountsUnavailableException error)
        {
            throw Unavailable(error);
        }

        await WriteAsync(context, caller, made is null ? wish : new TokenForm(), problem, made).ConfigureAwait(false);
    }

    /// <summary>Revokes a token.</summary>
    public async Task RevokeAsync(HttpContext context, Caller caller, IFormCollection form)
    {
        try
        {
            await tokens.RevokeAsync(caller, (string)context.Request.RouteValues["id"]!, context.RequestAborted).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException error)
        {
            throw Unavailable(error);
        }

        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = Path;
    }

    private static ProblemException Unavailable(AccountsUnavailableException error) => new(
        503, "accounts-unavailable", "Not available right now", "Your tokens cannot be reached now; nothing was changed. Try again in a "
            + "moment.", cause: error)
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    private async Task WriteAsync(
        HttpContext context, Caller caller, TokenForm wish, ProblemException? problem, (PersonalToken Token, string Secret)? made)
    {
        IReadOnlyList<PersonalToken> mine;
        try
        {
            mine = await tokens.ListAsync(caller, context.RequestAborted).ConfigureAwait(false);
        }
        catch (AccountsUnavailableException error) when (made is null)
        {
            throw Unavailable(error);
        }
        catch (AccountsUnavailableException)
        {
            // The new token is shown now or never.
            mine = [made!.Value.Token];
        }

        var key = csrf.For(caller);
        await layout.WriteAsync(context, new Page
        {
            Title = "Access tokens",
            Kind = "dashboard",
            Status = problem?.Status ?? 200,
            Body = Html.Of($"""
                <div class="head"><h1>Access tokens</h1></div>
                <p class="quiet">A token lets a program of yours use this service as you, as far as its scopes allow. Whoever has it can do
                the same: keep it like a password, and revoke it when you no longer need it.</p>
                {(made is { } fresh ? TokenHtml.Made(fresh.Token, fresh.Secret) : Html.Empty)}
                {TokenHtml.List(mine, key, clock.GetUtcNow())}
                {TokenHtml.Form(tokens.ScopesOf(caller), tokens.DefaultDays, tokens.MaximumDays, key, wish, problem)}
                """),
        }).ConfigureAwait(false);
    }
}

/// <summary>What a person typed into the form.</summary>
internal sealed record TokenForm
{
    /// <summary>What the token is for.</summary>
    public string? Name { get; init; }

    /// <summary>Scopes that are ticked.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Days; -1 for a text that is no number, which no rule accepts.</summary>
    public int? Days { get; init; }

    /// <summary>Reads a form.</summary>
    public static TokenForm Read(IFormCollection form) => new()
    {
        Name = form["name"].ToString().Trim(),
        Scopes = [.. form["scope"].OfType<string>()],
        Days = form["days"].ToString().Trim() is not { Length: > 0 } text ? null
            : int.TryParse(text, System.Globalization.NumberStyles.None, null, out var days) ? days : -1,
    };
}
