using System.Collections.Immutable;

namespace Berth.Edge;

/// <summary>
/// What a link to /login may say to the provider. Each from an allow list, or of a form that says nothing but itself; nothing else of the
/// query reaches the provider.
/// </summary>
internal sealed record SignInHints
{
    private const int LongestHint = 254;
    private const int LongestLocales = 100;

    /// <summary>
    /// Values of prompt that are passed on. Not none: it asks for an error where a person wants a page. create is the registration of
    /// OpenID Connect Prompt Create.
    /// </summary>
    public static ImmutableArray<string> Prompts { get; } = ["login", "consent", "select_account", "create"];

    /// <summary>Values of screen_hint that are passed on (Auth0).</summary>
    public static ImmutableArray<string> Screens { get; } = ["signup", "login"];

    /// <summary>Who the person probably is: an address or a name.</summary>
    public string? LoginHint { get; private init; }

    /// <summary>Which page of the provider comes first.</summary>
    public string? Screen { get; private init; }

    /// <summary>Languages, best first, separated by spaces (BCP 47).</summary>
    public string? Locales { get; private init; }

    /// <summary>What the provider asks again.</summary>
    public string? Prompt { get; private init; }

    /// <summary>Whether the person wants to be an administrator: see <see cref="StepUpSettings"/>.</summary>
    public bool StepUp { get; private init; }

    /// <summary>Whether this sign-in was begun anew by us after one that had been lost.</summary>
    public bool Again { get; private init; }

    /// <summary>Whether somebody who is signed in is to see the provider all the same.</summary>
    public bool WantsProvider => LoginHint is not null || Prompt is not null || StepUp;

    /// <summary>Whether a value of prompt is passed on.</summary>
    public static bool IsPrompt(string value) => Prompts.Contains(value);

    /// <summary>Reads them.</summary>
    /// <returns>The hints, or what is wrong, in words.</returns>
    public static (SignInHints? Hints, string? Problem) Read(IQueryCollection query)
    {
        if (!QueryParameters.TrySingle(query, "login_hint", LongestHint, out var hint)
            || !QueryParameters.TrySingle(query, "screen_hint", 32, out var screen)
            || !QueryParameters.TrySingle(query, "ui_locales", LongestLocales, out var locales)
            || !QueryParameters.TrySingle(query, "prompt", 32, out var prompt)
            || !QueryParameters.TrySingle(query, StepUpRequired.Parameter, 32, out var stepUp)
            || !QueryParameters.TrySingle(query, "again", 1, out var again))
        {
            return (null, "A parameter of the sign-in address is given twice or too long.");
        }

        var problem = screen is not null && !Screens.Contains(screen) ? OneOf("screen_hint", Screens)
            : prompt is not null && !IsPrompt(prompt) ? OneOf("prompt", Prompts)
            : stepUp is not null && stepUp != StepUpRequired.Administrator ? OneOf(StepUpRequired.Parameter, [StepUpRequired.Administrator])
            : locales is not null && !locales.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or ' ')
                ? "ui_locales of the sign-in address is a list of languages such as 'de en'." : null;
        return problem is not null ? (null, problem)
            : (new SignInHints
            {
                LoginHint = hint,
                Screen = screen,
                Locales = locales,
                Prompt = prompt,
                StepUp = stepUp is not null,
                Again = again == "1",
            }, null);
    }

    /// <summary>The hints as part of another address of /login, beginning with <c>&amp;</c>; empty for none.</summary>
    public string ToQuery()
    {
        (string Name, string? Value)[] all =
        [
            ("login_hint", LoginHint), ("screen_hint", Screen), ("ui_locales", Locales), ("prompt", Prompt),
            (StepUpRequired.Parameter, StepUp ? StepUpRequired.Administrator : null), ("again", Again ? "1" : null),
        ];
        return string.Concat(all.Where(p => p.Value is not null).Select(p => $"&{p.Name}={Uri.EscapeDataString(p.Value!)}"));
    }

    private static string OneOf(string name, ImmutableArray<string> values) =>
        $"{name} of the sign-in address is one of {string.Join(", ", values)}.";
}
