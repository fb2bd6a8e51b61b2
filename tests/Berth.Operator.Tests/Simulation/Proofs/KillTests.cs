using Berth.Resources;
using Kube.Client.Models;
using Xunit.Abstractions;

namespace Berth.Operator.Tests;

/// <summary>
/// An operator that ends, or whose request fails, at any write of what it does: a fresh one finishes the work, and nobody can tell
/// afterwards.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, (Action<Stage> Before, Action<Stage> Act)> Scenarios = new(StringComparer.Ordinal)
    {
        ["Start"] = (static _ => { }, static s => s.People.Create(Stage.Name, 0, 0, delete: false)),
        ["StartWithoutPools"] = (NoPools, static s => s.People.Create(Stage.Name, 0, 0, delete: false)),
        ["StartBesideOthersObjects"] = (OthersObjects, static s => s.People.Create(Stage.Name, 0, 0, delete: false)),
        ["StartWithFinalizer"] = (static _ => { }, static s => s.People.Create(Stage.Name, 0, 0, delete: true)),
        ["Stop"] = (Started, static s => s.People.Wish(Stage.Name, DesiredStates.Stopped)),
        ["StartAgain"] = (Stopped, static s => s.People.Wish(Stage.Name, DesiredStates.Running)),
        ["Restart"] = (Started, static s => s.People.Restart(Stage.Name)),
        ["WarmClaim"] = (static _ => { }, static s => s.People.Create(Stage.Name, 0, 1, delete: false)),
        ["StopAfterWarmClaim"] = (StartedWarm, static s => s.People.Wish(Stage.Name, DesiredStates.Stopped)),
        ["RestartAfterWarmClaim"] = (StartedWarm, static s => s.People.Restart(Stage.Name)),
        ["DeleteAndRetain"] = (Started, static s => s.People.Delete(Stage.Name)),
        ["DeleteAndDelete"] = (StartedToBeDeleted, static s => s.People.Delete(Stage.Name)),
        ["DeleteAndDeleteAfterWarmClaim"] = (StartedWarmToBeDeleted, static s => s.People.Delete(Stage.Name)),
        ["RetainAfterAll"] = (StartedToBeDeleted, static s => s.People.KeepVolume(Stage.Name, true)),
        ["CreateAgain"] = (DeletedAndRetained, static s => s.People.Create(Stage.Name, 0, 0, delete: false)),
    };

    public static TheoryData<string, string> All()
    {
        var data = new TheoryData<string, string>();
        foreach (var scenario in Scenarios.Keys)
        {
            foreach (var fate in (Fate[])[Fate.KilledBefore, Fate.KilledAfter, Fate.Internal, Fate.Conflict, Fate.Lost, Fate.AnswerLost])
            {
                data.Add(scenario, fate.ToString());
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(All))]
    public void AnyWrite_IsTheLast_TheEndIsTheSame(string scenario, string fate)
    {
        var undisturbed = Play(scenario, -1, Fate.Answered);

        // With the volume kept, garbage collection does all but the mark that the volume is released.
        Assert.NotEmpty(undisturbed.Writes);
        for (var k = 0; k < undisturbed.Writes.Count; k++)
        {
            var (picture, _, hit) = Play(scenario, k, Enum.Parse<Fate>(fate));
            Assert.True(hit, $"Write {k} was never made.");
            Assert.True(
                picture == undisturbed.Picture,
                $"{scenario}, {fate} at write {k} ({undisturbed.Writes[k]}):\n{Difference(undisturbed.Picture, picture)}");
        }

        output.WriteLine($"{scenario}: {undisturbed.Writes.Count} writes: {string.Join(", ", undisturbed.Writes)}");
    }

    private static (string Picture, List<Request> Writes, bool Hit) Play(string scenario, int at, Fate fate)
    {
        using var stage = new Stage();
        stage.Run();
        Scenarios[scenario].Before(stage);
        List<Request> writes = [];
        stage.Plan = request =>
        {
            if (request.IsWrite)
            {
                writes.Add(request);
            }

            return request.IsWrite && writes.Count - 1 == at ? fate : Fate.Answered;
        };
        Scenarios[scenario].Act(stage);
        stage.Run();
        return (stage.Picture(), writes, writes.Count > at);
    }

    private static void NoPools(Stage stage)
    {
        stage.Api.Delete(WorkspaceTemplate.Descriptor, SimulatedPeople.Key("pooled"), null);
        stage.Run();
        Assert.Empty(stage.Api.All<Pod>());
    }

    private static void OthersObjects(Stage stage)
    {
        NoPools(stage);
        stage.Api.Add(new Service { Metadata = new ObjectMeta { Name = Stage.Name, Namespace = SimulatedPeople.Ns } });
    }

    private static void Started(Stage stage) => Created(stage, 0, delete: false);

    private static void StartedToBeDeleted(Stage stage) => Created(stage, 0, delete: true);

    private static void StartedWarm(Stage stage) => Created(stage, 1, delete: false);

    private static void StartedWarmToBeDeleted(Stage stage) => Created(stage, 1, delete: true);

    private static void Stopped(Stage stage)
    {
        Started(stage);
        stage.People.Wish(Stage.Name, DesiredStates.Stopped);
        stage.Run();
        Assert.Equal(WorkspacePhases.Stopped, stage.Workspace.Status!.Phase);
    }

    private static void DeletedAndRetained(Stage stage)
    {
        Started(stage);
        stage.People.Delete(Stage.Name);
        stage.Run();
        Assert.Null(stage.People.Find(Stage.Name));
    }

    private static void Created(Stage stage, int template, bool delete)
    {
        stage.People.Create(Stage.Name, 0, template, delete);
        stage.Run();
        Assert.Equal(WorkspacePhases.Running, stage.Workspace.Status!.Phase);
        Assert.Equal(template == 1 ? StartPaths.Warm : StartPaths.Cold, stage.Workspace.Status.Start!.Path);
    }

    private static string Difference(string expected, string actual) => string.Join(
        '\n',
        expected.Split('\n').Except(actual.Split('\n')).Select(l => "expected: " + l)
            .Concat(actual.Split('\n').Except(expected.Split('\n')).Select(l => "actual:   " + l)));
}
