using System.Text.Json.Nodes;
using Kube.Server.Runner;
using Kube.Server.Runner.Pods;
using Kube.Server.Runner.Processes;

namespace Kube.Server.Tests.Runner;

public sealed class PodMachineTests
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BackoffPolicy Policy = new(TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10));

    [Fact]
    public void Decide_VolumesNotReady_StartsNothing()
    {
        var shape = Shape();

        Assert.Empty(PodMachine.Decide(shape, PodState.New(shape, Start), Start, Policy).Start);
    }

    [Fact]
    public void Decide_NewPod_StartsAllContainersAtOnce()
    {
        var shape = Shape(containers: ["a", "b"]);

        Assert.Equal(["a", "b"], PodMachine.Decide(shape, Ready(shape), Start, Policy).Start);
    }

    [Fact]
    public void Decide_InitContainers_GoOneAfterTheOther()
    {
        var shape = Shape(inits: ["i", "j"]);
        var state = Ready(shape);

        Assert.Equal(["i"], PodMachine.Decide(shape, state, Start, Policy).Start);
        state = Ended(state, "i", 0, Start);
        Assert.Equal(["j"], PodMachine.Decide(shape, state, Start, Policy).Start);
        state = Ended(state, "j", 0, Start);
        Assert.Equal(["a"], PodMachine.Decide(shape, state, Start, Policy).Start);
    }

    [Theory]
    [InlineData("Never", "Failed")]
    [InlineData("OnFailure", "Pending")]
    [InlineData("Always", "Pending")]
    public void Decide_InitContainerFails_EndsThePodOnlyWithNever(string restartPolicy, string phase)
    {
        var shape = Shape(restartPolicy, inits: ["i"]);
        var state = Ended(Ready(shape), "i", 1, Start);

        var decision = PodMachine.Decide(shape, state, Start, Policy);

        Assert.Equal(phase == "Failed", decision.Over);
        Assert.Equal(phase == "Failed" ? [] : ["i"], decision.Start);
        Assert.Equal(phase, PodStatus.Phase(shape, decision.State));
    }

    [Fact]
    public void Decide_Sidecar_IsPassedWhenStartedAndEndedWithThePod()
    {
        var shape = Shape("Never", inits: ["s"]);
        shape = shape with { InitContainers = [shape.InitContainers[0] with { Sidecar = true }] };
        var state = Ready(shape);

        Assert.Equal(["s"], PodMachine.Decide(shape, state, Start, Policy).Start);
        state = state.With(state["s"].Run("1", Start, started: true, ready: true));
        Assert.Equal(["a"], PodMachine.Decide(shape, state, Start, Policy).Start);
        state = Ended(state, "a", 0, Start);
        var decision = PodMachine.Decide(shape, state, Start, Policy);
        Assert.Equal(["s"], decision.Stop);
        Assert.False(decision.Over);
        Assert.Equal("Succeeded", PodStatus.Phase(shape, state));
    }

    [Theory]
    [InlineData("Always", 0, true)]
    [InlineData("Always", 1, true)]
    [InlineData("OnFailure", 0, false)]
    [InlineData("OnFailure", 1, true)]
    [InlineData("Never", 0, false)]
    [InlineData("Never", 1, false)]
    public void Decide_ContainerEnds_RestartsByPolicy(string restartPolicy, int code, bool restarts)
    {
        var shape = Shape(restartPolicy);

        var decision = PodMachine.Decide(shape, Ended(Ready(shape), "a", code, Start), Start, Policy);

        Assert.Equal(restarts ? ["a"] : [], decision.Start);
        Assert.Equal(!restarts, decision.Over);
        Assert.Equal(restarts ? "Running" : code == 0 ? "Succeeded" : "Failed", PodStatus.Phase(shape, decision.State));
    }

    [Fact]
    public void Decide_CrashLoop_WaitsTenSecondsDoublingToFiveMinutes()
    {
        var shape = Shape();
        var state = Ready(shape);
        var now = Start;
        var waits = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            state = Ended(state, "a", 1, now);
            var decision = PodMachine.Decide(shape, state, now, Policy);
            var until = decision.WakeAt ?? now;
            waits.Add((until - now).TotalSeconds);
            if (until > now)
            {
                Assert.Equal("CrashLoopBackOff", decision.State["a"].WaitingReason);
                Assert.Empty(PodMachine.Decide(shape, decision.State, until - TimeSpan.FromSeconds(1), Policy).Start);
                decision = PodMachine.Decide(shape, decision.State, until, Policy);
                now = until;
            }

            Assert.Equal(["a"], decision.Start);
            state = decision.State;
        }

        Assert.Equal([0, 10, 20, 40, 80, 160, 300, 300], waits);
    }

    [Fact]
    public void Decide_AfterTenMinutesOfRunning_ForgetsTheBackoff()
    {
        var shape = Shape();
        var state = PodMachine.Decide(shape, Ended(Ready(shape), "a", 1, Start), Start, Policy).State;

        var later = Start + TimeSpan.FromMinutes(11);
        var decision = PodMachine.Decide(shape, Ended(state, "a", 1, later), later, Policy);

        Assert.Equal(["a"], decision.Start);
    }

    [Fact]
    public void Decide_Deleting_StopsAndIsOverWhenNothingRuns()
    {
        var shape = Shape();
        var state = Ready(shape);
        state = state.With(state["a"].Run("1", Start, started: true, ready: true));
        shape = shape with { Deleting = true };

        var decision = PodMachine.Decide(shape, state, Start, Policy);
        Assert.Equal((false, "a"), (decision.Over, Assert.Single(decision.Stop)));
        Assert.True(PodMachine.Decide(shape, Ended(state, "a", 0, Start), Start, Policy).Over);
    }

    [Fact]
    public void Decide_ImageMissing_ShowsErrImagePullThenBackOffThenTriesAgain()
    {
        var shape = Shape();
        var state = Ready(shape);
        state = state.With(state["a"].BeginStart().ImageMissing("add it", Start, Policy));

        Assert.Equal("ErrImagePull", PodMachine.Decide(shape, state, Start, Policy).State["a"].WaitingReason);
        var decision = PodMachine.Decide(shape, state, Start.AddSeconds(2), Policy);
        Assert.Equal("ImagePullBackOff", decision.State["a"].WaitingReason);
        Assert.Equal(Start.AddSeconds(10), decision.WakeAt);
        Assert.Contains(decision.Events, e => e.Reason == "BackOff");
        Assert.Equal(["a"], PodMachine.Decide(shape, decision.State, Start.AddSeconds(10), Policy).Start);
    }

    [Fact]
    public void Recover_RunningContainer_IsEndedAsByAReboot()
    {
        var shape = Shape();
        var state = Ready(shape);
        state = state.With(state["a"].Run("11111111-1111-1111-1111-111111111111", Start, started: true, ready: true));
        var status = new JsonObject();
        PodStatus.Write(shape, state, status, Start);

        shape.Source["status"] = status;
        var recovered = PodRecovery.Read(shape, Start.AddHours(1));

        Assert.Equal(("Unknown", 255), (recovered["a"].Ended!.Reason, recovered["a"].Ended!.ExitCode));
        Assert.Equal(["a"], PodMachine.Decide(shape, recovered with { VolumesReady = true }, Start.AddHours(1), Policy).Start);
    }

    [Fact]
    public void Recover_EvictedPod_StaysFailed()
    {
        var shape = Shape();
        shape.Source["status"] = new JsonObject
        {
            ["phase"] = "Failed",
            ["reason"] = "Evicted",
            ["containerStatuses"] = new JsonArray(
                new JsonObject { ["name"] = "a", ["restartCount"] = 0, ["state"] = new JsonObject { ["waiting"] = new JsonObject() } }),
        };

        var decision = PodMachine.Decide(shape, PodRecovery.Read(shape, Start), Start, Policy);

        Assert.True(decision.Over);
        Assert.Empty(decision.Start);
    }

    [Fact]
    public void Write_TransitionTime_ChangesOnlyWithTheStatus()
    {
        var shape = Shape();
        var state = Ready(shape);
        var status = new JsonObject();
        PodStatus.Write(shape, state, status, Start);
        var before = status.DeepClone();

        PodStatus.Write(shape, state, status, Start.AddHours(1));

        Assert.True(JsonNode.DeepEquals(before, status));
    }

    private static PodShape Shape(string restartPolicy = "Always", string[]? containers = null, string[]? inits = null)
    {
        static JsonArray Make(IEnumerable<string> names) =>
            new([.. names.Select(n => (JsonNode)new JsonObject { ["name"] = n, ["image"] = "x" })]);
        return PodShape.Read(new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "p", ["namespace"] = "default", ["uid"] = "u" },
            ["spec"] = new JsonObject
            {
                ["restartPolicy"] = restartPolicy,
                ["containers"] = Make(containers ?? ["a"]),
                ["initContainers"] = Make(inits ?? [])
            },
        });
    }

    private static PodState Ready(PodShape shape) => PodState.New(shape, Start) with { VolumesReady = true };

    private static PodState Ended(PodState state, string name, int code, DateTimeOffset at) =>
        state.With(state[name].Run("1", at, started: true, ready: true).Exit(new ExitStatus(code, 0), at));
}
