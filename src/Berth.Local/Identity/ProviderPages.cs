using System.Net;
using System.Text;

namespace Berth.Local.Identity;

/// <summary>The few pages of the development provider: no script, no foreign origin.</summary>
internal static class ProviderPages
{
    private const string Style = """
        :root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--card:#fff;--page:#eef1f5;--line:#d5dbe3;--accent:#0b5fa5}
        @media (prefers-color-scheme:dark){
        :root{--ink:#e6ebf2;--soft:#9aa6b5;--card:#1b222c;--page:#12171e;--line:#323c49;--accent:#6db3f2}}
        *{box-sizing:border-box}
        body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--ink);
        font:16px/1.5 system-ui,sans-serif}
        main{width:min(26rem,92vw);background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2rem}
        h1{font-size:1.35rem;margin:0 0 .25rem}p{color:var(--soft);margin:.25rem 0 1.25rem}
        button{display:flex;width:100%;gap:.75rem;align-items:center;text-align:left;font:inherit;color:inherit;background:none;
        border:1px solid var(--line);border-radius:10px;padding:.75rem 1rem;margin:.5rem 0;cursor:pointer}
        button:hover,button:focus-visible{border-color:var(--accent);outline:2px solid var(--accent);outline-offset:1px}
        small{display:block;color:var(--soft)}
        .mark{width:2.25rem;height:2.25rem;border-radius:50%;display:grid;place-items:center;background:var(--accent);color:var(--card);
        font-weight:600}
        .plain{justify-content:center;border:none;color:var(--soft)}
        """;

    public static Task ChooseAccountAsync(HttpContext http, string? unknown)
    {
        var body = new StringBuilder(
            "<h1>Who are you today?</h1><p>Accounts of the development provider. "
                + "It asks for no password and listens on this machine alone.</p>"
        );
        if (!string.IsNullOrEmpty(unknown))
        {
            body.Append($"<p role=\"alert\">There is no account “{WebUtility.HtmlEncode(unknown)}”. Pick one of these.</p>");
        }

        body.Append("<form method=\"post\">");
        foreach (var account in DevelopmentAccount.All)
        {
            body.Append(
                $"<button name=\"account\" value=\"{account.Username}\"><span class=\"mark\" aria-hidden=\"true\">{account.Name[0]}</span>"
                    + $"<span>{account.Name}<small>{account.Email}</small></span></button>"
            );
        }

        body.Append("<button class=\"plain\" name=\"cancel\" value=\"1\">Go back without signing in</button></form>");
        return WriteAsync(http, "Sign in", body.ToString(), StatusCodes.Status200OK);
    }

    public static Task AskConsentAsync(HttpContext http, DevelopmentAccount account, string scope)
    {
        var items = string.Concat(scope.Split(' ').Select(Meaning).OfType<string>().Distinct().Select(m => $"<li>{m}</li>"));
        return WriteAsync(
            http,
            "Allow access",
            $"<h1>Allow Berth?</h1><p>You are signed in as {account.Name} ({account.Email}). "
                + $"Programs that you run with Berth may then</p><ul>{items}</ul>"
                + "<form method=\"post\"><button name=\"consent\" value=\"allow\">Allow</button>"
                + "<button class=\"plain\" name=\"cancel\" value=\"1\">Go back without allowing it</button></form>",
            StatusCodes.Status200OK
        );
    }

    public static Task ConfirmSignOutAsync(HttpContext http, DevelopmentAccount account) =>
        WriteAsync(
            http,
            "Sign out",
            $"<h1>Sign out?</h1><p>You are signed in as {account.Name}.</p><form method=\"post\"><button>Sign out</button></form>",
            StatusCodes.Status200OK
        );

    public static Task MessageAsync(HttpContext http, string message, int status) =>
        WriteAsync(http, "Development provider", $"<h1>Development provider</h1><p>{WebUtility.HtmlEncode(message)}</p>", status);

    private static string? Meaning(string scope) =>
        scope switch
        {
            "openid" or "profile" => "read your name and user name",
            "email" => "read your e-mail address",
            "offline_access" => "do so also when you are not here, until you disconnect",
            _ => null,
        };

    private static Task WriteAsync(HttpContext http, string title, string body, int status)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        // form-action is left open: Chromium applies it to the redirects that follow a form post, and those go to the client.
        http.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
        http.Response.Headers.XFrameOptions = "DENY";
        // Not no-referrer: with that a browser sends "Origin: null" from our own form, and the form is refused as foreign.
        http.Response.Headers["Referrer-Policy"] = "same-origin";
        return http.Response.WriteAsync(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                + $"<title>{title}</title><style>{Style}</style></head><body><main>{body}</main></body></html>"
        );
    }
}
