namespace Berth.Operator.Preflight;

/// <summary>What a check found.</summary>
internal enum PreflightOutcome
{
    /// <summary>As it should be.</summary>
    Pass,

    /// <summary>It will work, and there is something to know.</summary>
    Warn,

    /// <summary>The installation would not work.</summary>
    Fail,

    /// <summary>Nothing could be said, or it does not apply.</summary>
    Skipped,
}

/// <summary>One line of the report.</summary>
/// <param name="Check">Name of the check.</param>
/// <param name="Outcome">What it found.</param>
/// <param name="Came">What was seen.</param>
/// <param name="Remedy">What to do about it; null where nothing is to be done.</param>
internal sealed record PreflightResult(string Check, PreflightOutcome Outcome, string Came, string? Remedy = null)
{
    public static PreflightResult Pass(string check, string came) => new(check, PreflightOutcome.Pass, came);

    public static PreflightResult Warn(string check, string came, string remedy) => new(check, PreflightOutcome.Warn, came, remedy);

    public static PreflightResult Fail(string check, string came, string remedy) => new(check, PreflightOutcome.Fail, came, remedy);

    public static PreflightResult Skip(string check, string why) => new(check, PreflightOutcome.Skipped, why);

    /// <summary>The line for people.</summary>
    public string ToLine()
    {
        var word = Outcome switch
        {
            PreflightOutcome.Pass => "pass",
            PreflightOutcome.Warn => "warn",
            PreflightOutcome.Fail => "FAIL",
            _ => "skipped",
        };
        return $"{word} {Check} – {Came}{(Remedy is null ? "" : $"; remedy: {Remedy}")}";
    }
}
