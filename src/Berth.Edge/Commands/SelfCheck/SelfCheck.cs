namespace Berth.Edge;

/// <summary>What a check needs besides the address.</summary>
[Flags]
internal enum SelfCheckNeeds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>An access token that the edge accepts.</summary>
    Token = 1,

    /// <summary>The address of a workspace.</summary>
    Workspace = 2,

    /// <summary>The Cookie header of somebody who is signed in at the edge.</summary>
    Cookie = 4,

    /// <summary>The Cookie header of somebody who has opened the workspace.</summary>
    WorkspaceCookie = 8,
}

/// <summary>One question to a deployment. It sends requests that change nothing, whatever the answer is.</summary>
/// <param name="Name">Lower-case with dashes; stable.</param>
/// <param name="Expected">What a sound deployment answers, in a few words.</param>
/// <param name="Remedy">What to do where it does not.</param>
/// <param name="RunAsync">Asks.</param>
/// <param name="Needs">Without it the check is skipped.</param>
internal sealed record SelfCheck(
    string Name, string Expected, string Remedy, Func<SelfCheckProbe, Task<SelfCheckVerdict>> RunAsync,
    SelfCheckNeeds Needs = SelfCheckNeeds.None)
{
    /// <summary>All of them, in the order in which they are asked.</summary>
    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        .. SelfCheckHeaders.All, .. SelfCheckFraming.All, .. SelfCheckTargets.All, .. SelfCheckSignIn.All, .. SelfCheckTokens.All,
        .. SelfCheckBrowsers.All, .. SelfCheckSurface.All,
    ];
}

/// <summary>What became of a check.</summary>
/// <param name="Passed">Null for one that could not be made.</param>
/// <param name="Came">What was answered, or why it was not asked.</param>
internal readonly record struct SelfCheckVerdict(bool? Passed, string Came)
{
    /// <summary>Decides by a condition.</summary>
    public static SelfCheckVerdict Of(bool passed, string came) => new(passed, came);

    /// <summary>Could not be asked.</summary>
    public static SelfCheckVerdict Skip(string why) => new(null, why);

    /// <summary>The first that failed, else the last: for a check of several requests.</summary>
    public static SelfCheckVerdict First(IReadOnlyList<SelfCheckVerdict> verdicts) =>
        verdicts.FirstOrDefault(v => v.Passed == false) is { Passed: false } failed ? failed : verdicts[^1];
}
