namespace Berth.Edge;

/// <summary>Pages for everybody: they read nothing but configuration and create nothing.</summary>
internal sealed class PublicPages(PageLayout layout, PageOptions options)
{
    /// <summary>The landing page; people who are signed in go on to their workspaces.</summary>
    public Task LandingAsync(HttpContext context)
    {
        if (context.GetCaller() is not null)
        {
            context.Response.Redirect("/start");
            return Task.CompletedTask;
        }

        return layout.WriteAsync(context, new Page
        {
            Title = "Welcome",
            Kind = "landing",
            Body = Html.Of($"""
                <section class="hero">
                <h1>{options.ProductName}</h1>
                <p>{options.Tagline}</p>
                <div class="actions"><a class="button primary" href="/login?return=%2Fstart">Sign in</a></div>
                </section>
                <ul class="points">
                <li class="card"><h2>Yours alone</h2>
                <p>A workspace is a machine of its own with its own storage. Nobody else gets in unless you share it.</p></li>
                <li class="card"><h2>Kept as you left it</h2>
                <p>Your files stay when the workspace is stopped, and are there when it starts again.</p></li>
                <li class="card"><h2>Ready when you come</h2>
                <p>Open its address and it starts. You see what is happening until it is ready.</p></li>
                </ul>
                """),
        });
    }

    /// <summary>Terms of service.</summary>
    public Task TermsAsync(HttpContext context) => TextAsync(context, "Terms of service", options.TermsText ?? Flowing($"""
        This service gives people who may sign in a workspace of their own. It is run by {options.OperatorName}, whose rules for
        the use of its systems apply here too.

        Use it only for what you are allowed to do. You are responsible for what runs in your workspace and for whom you share it
        with.

        Do not try to get into other people's workspaces, to get around limits, or to disturb the service for others.

        Workspaces may be stopped when they are not used or when the systems are maintained. Your files are kept, but keep copies
        of what matters to you.

        An account may be closed when these terms are not kept.
        """));

    /// <summary>Privacy notice.</summary>
    public Task PrivacyAsync(HttpContext context) => TextAsync(context, "Privacy", options.PrivacyText ?? Flowing($"""
        This service is run by {options.OperatorName}, who answers questions about your data.

        When you sign in, your identity provider tells this service who you are: an identifier, and your name and e-mail address
        if it shares them. Your password never comes here.

        Stored about you: that identifier, name and e-mail address; when you signed in, with what kind of browser; your
        workspaces; and a log of what was done with them, for security.

        One cookie keeps you signed in. It is needed for that, is not used for anything else, and ends with the session. There is
        no tracking and nothing is loaded from other sites.

        Your files are in your workspace's storage. They are not looked at, except by you and those you share the workspace with,
        or where the law or an incident demands it.
        """));

    /// <summary>What to do about a forgotten password.</summary>
    public Task ForgotPasswordAsync(HttpContext context)
    {
        var way = options.PasswordResetUrl is { } url
            ? Html.Of($"<p>Reset it there, then come back and sign in.</p><div class=\"actions\"><a class=\"button primary\" "
                + $"href=\"{url}\">Reset your password</a><a class=\"button\" href=\"/login\">Sign in</a></div>")
            : Html.Of($"<p>Use the link for it on your provider's sign-in page, or ask {options.OperatorName}.</p><div "
                + $"class=\"actions\"><a class=\"button primary\" href=\"/login\">Go to the sign-in page</a></div>");
        return layout.WriteAsync(context, new Page
        {
            Title = "Forgot your password?",
            Body = Html.Of($"""
                <article class="card">
                <h1>Forgot your password?</h1>
                <p>{options.ProductName} has no passwords of its own: you sign in with your identity provider, which
                keeps your password and can give you a new one.</p>
                {way}
                </article>
                """),
        });
    }

    private Task TextAsync(HttpContext context, string title, string text) => layout.WriteAsync(context, new Page
    {
        Title = title,
        Body = Html.Of($"<article class=\"card\"><h1>{title}</h1>{Html.Join(Paragraphs(text))}</article>"),
    });

    // Our own texts are wrapped in the source, with an empty line between paragraphs; those of the configuration have one a line.
    private static string Flowing(string text) =>
        string.Join('\n', text.ReplaceLineEndings("\n").Split("\n\n").Select(p => p.Replace('\n', ' ')));

    private static IEnumerable<Html> Paragraphs(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(p => Html.Of($"<p>{p}</p>"));
}
