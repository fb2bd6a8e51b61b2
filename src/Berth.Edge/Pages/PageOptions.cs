namespace Berth.Edge;

/// <summary>What the pages say: section <c>Berth:Edge:Pages</c>.</summary>
public sealed record PageOptions
{
    /// <summary>Name of the installation, in titles and headings. The default is <c>Berth</c>.</summary>
    public string ProductName { get; init; } = "Berth";

    /// <summary>One sentence on the landing page. The default describes the product.</summary>
    public string Tagline { get; init; } = "Your own workspace, in the browser, as you left it.";

    /// <summary>Where people reset their password at the provider: an https address. Without it the page says whom to ask.</summary>
    public string? PasswordResetUrl { get; init; }

    /// <summary>Where people get help: an https or mailto address. Shown in the footer and on error pages.</summary>
    public string? SupportUrl { get; init; }

    /// <summary>Who runs the installation, for /tos and /privacy. The default is "the operator of this installation".</summary>
    public string OperatorName { get; init; } = "the operator of this installation";

    /// <summary>Terms of service of the operator's own: plain text, one paragraph a line. The default is a short general text.</summary>
    public string? TermsText { get; init; }

    /// <summary>
    /// Privacy notice of the operator's own: plain text, one paragraph a line. The default says what Berth itself stores.
    /// </summary>
    public string? PrivacyText { get; init; }

    /// <summary>Adds a sentence to <paramref name="problems"/> for each value that cannot be used.</summary>
    internal void Check(ICollection<string> problems)
    {
        CheckUrl(problems, nameof(PasswordResetUrl), PasswordResetUrl, "https", "http");
        CheckUrl(problems, nameof(SupportUrl), SupportUrl, "https", "http", "mailto");
    }

    private static void CheckUrl(ICollection<string> problems, string name, string? value, params string[] schemes)
    {
        if (value is not null && (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || !schemes.Contains(uri.Scheme)))
        {
            problems.Add($"Berth:Edge:Pages:{name} is '{value}': give an absolute address ({string.Join(", ", schemes)}).");
        }
    }
}
