using Berth.Accounts;

namespace Berth.Edge;

/// <summary>How personal access tokens look; pure functions.</summary>
internal static class TokenHtml
{
    /// <summary>A token that was just made, for the only time.</summary>
    public static Html Made(PersonalToken token, string secret) => Html.Of($"""
        <section class="card" id="new-token"><h2>“{token.Name}” is ready</h2>
        <p>Copy it now: it is shown this once, and is kept nowhere.</p>
        <label>Your new token
        <input class="mono" id="token" readonly autofocus autocomplete="off" spellcheck="false" value="{secret}"></label>
        <p class="quiet small">Programs send it in a header: <code>Authorization: Bearer …</code></p></section>
        """);

    /// <summary>The tokens that there are.</summary>
    public static Html List(IReadOnlyList<PersonalToken> tokens, string csrf, DateTimeOffset now) => tokens.Count == 0
        ? Html.Of($"<article class=\"card center\"><p class=\"quiet\">You have no access tokens.</p></article>")
        : Html.Join(tokens.Select(t => Card(t, csrf, now)));

    /// <summary>The form for another; after a mistake with what was typed and what is wrong with it.</summary>
    public static Html Form(
        IEnumerable<(string Name, string Description)> scopes, int days, int most, string csrf, TokenForm wish, ProblemException? problem)
    {
        var general = problem is null || !problem.Fields.IsEmpty ? Html.Empty : ConnectionHtml.Notice(problem.Message);
        return Html.Of($"""
            <section class="card"><h2>Make a token</h2>{general}
            <form class="fields" method="post" action="{TokenPages.Path}">
            <input type="hidden" name="csrf" value="{csrf}">
            <label>Name
            <input name="name" required maxlength="{PersonalTokenRules.MaximumName}" autocomplete="off" value="{wish.Name}">
            <small>What it is for, such as the program or machine.</small>{Error(problem, "name")}</label>
            <fieldset><legend>What it may do</legend>{Html.Join(scopes.Select(s => Scope(s, wish)))}{Error(problem, "scopes")}</fieldset>
            <label>Days that it works
            <input type="number" name="days" min="1" max="{most}" step="1" placeholder="{days}" value="{Days(wish)}">
            <small>At most {most}; {days} when you leave it empty.</small>{Error(problem, "expiresInDays")}</label>
            <div class="actions"><button class="primary">Make it</button></div>
            </form></section>
            """);
    }

    private static Html Card(PersonalToken token, string csrf, DateTimeOffset now)
    {
        var ended = token.StateAt(now) != PersonalTokenState.Active;
        var badge = ended ? Html.Of($"<span class=\"badge bad\" role=\"status\">Expired</span>")
            : Html.Of($"<span class=\"badge good\" role=\"status\">Works</span>");
        var used = token.LastUsedAt is { } at ? "last used about " + Time(at) : "never used";
        return Html.Of($"""
            <article class="card workspace" id="t-{token.Id.ToString()}">
            <header><h2>{token.Name}</h2>{badge}<span class="quiet small">{string.Join(", ", token.Scopes)}</span></header>
            <p class="quiet small">Made {Time(token.CreatedAt)}, {(ended ? "ended" : "ends")} {Time(token.ExpiresAt)}, {used} (UTC)</p>
            <div class="actions"><form method="post" action="{TokenPages.Path}/{token.Id.ToString()}/revoke">
            <input type="hidden" name="csrf" value="{csrf}"><button class="danger">Revoke</button></form></div>
            </article>
            """);
    }

    private static Html Scope((string Name, string Description) scope, TokenForm wish) => Html.Of($"""
        <label class="choice"><span><input type="checkbox" name="scope" value="{scope.Name}"{wish.Scopes.Contains(scope.Name):checked}>
        <code>{scope.Name}</code></span> <small>{scope.Description}</small></label>
        """);

    private static Html Error(ProblemException? problem, string field) => problem?.Fields.GetValueOrDefault(field) is { } text
        ? Html.Of($"<small class=\"error\" role=\"alert\">{text}</small>") : Html.Empty;

    private static string Days(TokenForm wish) => wish.Days is > 0 and { } days ? $"{days}" : "";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm");
}
