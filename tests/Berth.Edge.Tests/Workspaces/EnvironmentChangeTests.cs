using System.Text.Json.Nodes;
using Berth.Accounts;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Workspaces;

public class EnvironmentChangeTests
{
    [Fact]
    public void Wanted_WhatTodaysRulesRefuse_IsLeftOut_AndTheRestIsInOrder()
    {
        var wanted = EnvironmentChange.Wanted(Preferred(("Z", "1"), ("LD_PRELOAD", "x"), ("A", "$(PORT)")));
        Assert.Equal([new() { Name = "A", Value = "$(PORT)" }, new() { Name = "Z", Value = "1" }], wanted);
    }

    [Fact]
    public void AddTo_PreferencesThatAreWritten_Nothing()
    {
        var workspace = Written(Preferred(("A", "1")));
        Assert.Null(PatchOf(workspace, Preferred(("A", "1"))));

        // In whatever order they come from the store.
        Assert.Null(PatchOf(Written(Preferred(("A", "1"), ("B", "2"))), Preferred(("B", "2"), ("A", "1"))));
    }

    [Fact]
    public void AddTo_OtherPreferences_ReplacesTheListAndKeepsTheRestOfThePatch()
    {
        var patch = new JsonObject { ["spec"] = new JsonObject { ["desiredState"] = "Running" } };
        Assert.True(EnvironmentChange.AddTo(patch, Written(Preferred(("A", "1"), ("B", "2"))), Preferred(("B", "3"))));
        Assert.Equal("""{"desiredState":"Running","environment":[{"name":"B","value":"3"}]}""", patch["spec"]!.ToJsonString());
        Assert.Equal(
            EnvironmentChange.Mark(EnvironmentChange.Wanted(Preferred(("B", "3")))),
            (string?)patch["metadata"]!["annotations"]![Annotations.Environment]);
    }

    [Theory]
    [InlineData("A", "12", "A1", "2")]
    [InlineData("A", "", "B", "")]
    public void Mark_OtherVariables_IsAnother(string name, string value, string otherName, string otherValue) => Assert.NotEqual(
        EnvironmentChange.Mark([new() { Name = name, Value = value }]), EnvironmentChange.Mark([new() { Name = otherName, Value = otherValue }]));

    [Fact]
    public void AddTo_NoneAnyMore_TakesAwayWhatTheEdgeWrote()
    {
        var patch = PatchOf(Written(Preferred(("A", "1"))), Preferred());
        Assert.Equal($$$$"""{"spec":{"environment":null},"metadata":{"annotations":{"{{{{Annotations.Environment}}}}":null}}}""", patch);
    }

    [Fact]
    public void AddTo_WrittenByHand_StaysUntilThePersonHasVariables()
    {
        var workspace = new UserWorkspace { Spec = new UserWorkspaceSpec { Environment = [new() { Name = "HAND", Value = "1" }] } };
        Assert.Null(PatchOf(workspace, Preferred()));
        Assert.Contains("\"name\":\"A\"", PatchOf(workspace, Preferred(("A", "1"))), StringComparison.Ordinal);

        // And after the edge, until the person changes theirs.
        var changed = Written(Preferred(("A", "1")));
        changed = changed with { Spec = changed.Spec with { Environment = workspace.Spec.Environment } };
        Assert.Null(PatchOf(changed, Preferred(("A", "1"))));
    }

    [Fact]
    public void AddTo_FieldDroppedByAnOlderDefinition_IsWrittenAgain()
    {
        var workspace = Written(Preferred(("A", "1")));
        Assert.NotNull(PatchOf(workspace with { Spec = workspace.Spec with { Environment = null } }, Preferred(("A", "1"))));
    }

    [Fact]
    public void Rules_OfTheStore_AreNoWiderThanThoseOfTheResource()
    {
        Assert.True(PreferenceRules.MaximumEntries <= EnvironmentRules.MaximumVariables);
        Assert.True(PreferenceRules.MaximumVariable <= EnvironmentRules.MaximumValue);
        Assert.True(PreferenceRules.MaximumEnvironment <= EnvironmentRules.MaximumBytes);
        Assert.Empty(PreferenceRules.Check(Preferred((new string('A', EnvironmentRules.MaximumName), new string('x', EnvironmentRules.MaximumValue)))));
        Assert.NotEmpty(PreferenceRules.Check(Preferred((new string('A', EnvironmentRules.MaximumName + 1), "x"))));
    }

    private static string? PatchOf(UserWorkspace workspace, PreferenceWish preferred)
    {
        var patch = new JsonObject();
        return EnvironmentChange.AddTo(patch, workspace, preferred) ? patch.ToJsonString() : null;
    }

    private static UserWorkspace Written(PreferenceWish preferred)
    {
        var wanted = EnvironmentChange.Wanted(preferred);
        return new UserWorkspace
        {
            Metadata = new ObjectMeta
            {
                Annotations = new Dictionary<string, string> { [Annotations.Environment] = EnvironmentChange.Mark(wanted)! },
            },
            Spec = new UserWorkspaceSpec { Environment = wanted },
        };
    }

    private static PreferenceWish Preferred(params (string Name, string Value)[] variables) =>
        new() { Environment = variables.ToDictionary(v => v.Name, v => v.Value) };
}
