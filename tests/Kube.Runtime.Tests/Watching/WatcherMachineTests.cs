namespace Kube.Runtime.Tests.Watching;

public sealed class WatcherMachineTests
{
    private static readonly WatcherInput Other = new WatcherInput.Failed(WatchFailure.Other);
    private static readonly WatcherInput Expired = new WatcherInput.Failed(WatchFailure.Expired);
    private static readonly WatcherInput TooLarge = new WatcherInput.Failed(WatchFailure.VersionTooLarge);
    private static readonly WatcherInput Unsupported = new WatcherInput.Failed(WatchFailure.Unsupported);

    public static TheoryData<string> Rows => [.. Table().Keys];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Step_Row_LeadsToStateAndSignal(string row)
    {
        var (state, input, next, signal) = Table()[row];
        var (gotNext, gotSignal) = WatcherMachine.Step((WatcherState)state, (WatcherInput)input);
        Assert.Equal((next, signal), (gotNext, gotSignal.ToString()));
    }

    [Fact]
    public void Step_WhatCannotHappen_Throws() =>
        Assert.Throws<InvalidOperationException>(() =>
            WatcherMachine.Step(new WatcherState.InitListed("1"), new WatcherInput.Page("2", null)));

    private static Dictionary<string, (object State, object Input, object Next, string Signal)> Table() => new()
    {
        ["start lists any version"] = (WatcherMachine.Start, new WatcherInput.Begin(false), new WatcherState.InitPage("0", null), "Init"),
        ["start streams"] = (WatcherMachine.Start, new WatcherInput.Begin(true), new WatcherState.InitialWatch("0"), "Init"),
        ["page with more"] = (new WatcherState.InitPage("0", null), new WatcherInput.Page("7", "t"), new WatcherState.InitPage("0", "t"),
            "None"),
        ["last page"] = (new WatcherState.InitPage("0", "t"), new WatcherInput.Page("7", ""), new WatcherState.InitListed("7"), "InitDone"),
        ["list fails, same page again"] = (new WatcherState.InitPage("0", "t"), Other, new WatcherState.InitPage("0", "t"), "Failed"),
        ["version expired on list: at once by quorum"] = (new WatcherState.InitPage("5", null), Expired, new WatcherState.Empty(""),
            "None"),
        ["version too large on list: at once by quorum"] = (new WatcherState.InitPage("5", null), TooLarge, new WatcherState.Empty(""),
            "None"),
        ["quorum list expired: wait"] = (new WatcherState.InitPage("", null), Expired, new WatcherState.Empty(""), "Failed"),
        ["continue token expired: wait and begin anew"] = (new WatcherState.InitPage("5", "t"), Expired, new WatcherState.Empty(""),
            "Failed"),
        ["listed opens watch"] = (new WatcherState.InitListed("7"), new WatcherInput.Begin(false), new WatcherState.Watching("7"), "None"),
        ["initial object is no progress"] = (new WatcherState.InitialWatch("5"), new WatcherInput.Applied("9"),
            new WatcherState.InitialWatch("5"), "InitApply"),
        ["initial deletion"] = (new WatcherState.InitialWatch("5"), new WatcherInput.Deleted("9"), new WatcherState.InitialWatch("5"),
            "Delete"),
        ["ordinary bookmark before the end"] = (new WatcherState.InitialWatch("5"), new WatcherInput.Bookmark("9", false),
            new WatcherState.InitialWatch("5"), "None"),
        ["end of initial events"] = (new WatcherState.InitialWatch("5"), new WatcherInput.Bookmark("9", true),
            new WatcherState.Watching("9"), "InitDone"),
        ["410 in the middle of WatchList"] = (new WatcherState.InitialWatch("5"), Expired, new WatcherState.Empty(""), "Failed"),
        ["WatchList refused: list at once"] = (new WatcherState.InitialWatch("5"), Unsupported, new WatcherState.Empty("5"), "None"),
        ["WatchList broke"] = (new WatcherState.InitialWatch("5"), Other, new WatcherState.Empty("5"), "Failed"),
        ["WatchList ended early"] = (new WatcherState.InitialWatch("5"), new WatcherInput.StreamEnded(false), new WatcherState.Empty("5"),
            "Failed"),
        ["change moves version"] = (new WatcherState.Watching("5"), new WatcherInput.Applied("6"), new WatcherState.Watching("6"), "Apply"),
        ["change without version keeps it"] = (new WatcherState.Watching("5"), new WatcherInput.Applied(null),
            new WatcherState.Watching("5"), "Apply"),
        ["deletion moves version"] = (new WatcherState.Watching("5"), new WatcherInput.Deleted("6"), new WatcherState.Watching("6"),
            "Delete"),
        ["bookmark moves version"] = (new WatcherState.Watching("5"), new WatcherInput.Bookmark("8", false), new WatcherState.Watching("8"),
            "Progress"),
        ["stream ended: watch on"] = (new WatcherState.Watching("5"), new WatcherInput.StreamEnded(false), new WatcherState.InitListed("5"),
            "None"),
        ["stream too short: wait"] = (new WatcherState.Watching("5"), new WatcherInput.StreamEnded(true), new WatcherState.InitListed("5"),
            "Failed"),
        ["410 on watch: list, not older"] = (new WatcherState.Watching("5"), Expired, new WatcherState.Empty("5"), "Failed"),
        ["restored back-up: newest there is"] = (new WatcherState.Watching("5"), TooLarge, new WatcherState.Empty(""), "Failed"),
        ["watch broke: same version again"] = (new WatcherState.Watching("5"), Other, new WatcherState.InitListed("5"), "Failed"),
    };
}
