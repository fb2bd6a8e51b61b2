using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>What of a person's variables reaches which container, and how.</summary>
public sealed class EnvironmentTests
{
    public static TheoryData<string> Hostile => ParameterTests.Hostile;

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Value_WhateverItIs_IsData(string value)
    {
        var variable = Made(Make([("A", value)]), "A")!;
        Assert.Equal(value, ParameterTests.Node(variable));
    }

    [Fact]
    public void Application_HasThem_AfterEverythingElse_ByName()
    {
        var blueprint = Make([("ZZ", "1"), ("AA", "2")], s => s with { Env = [new TemplateVariable { Name = "THEIRS", Value = "$(AA)" }] });
        var names = blueprint.Pod!.Spec!.Containers[0].Env!.Select(e => e.Name).ToList();

        // A node looks backwards only: $(AA) of the template stays what it is.
        Assert.Equal(["THEIRS", "AA", "ZZ"], names[^3..]);
    }

    [Fact]
    public void OtherContainers_DoNotHaveThem()
    {
        var blueprint = Make([("TOKEN", "1")], s => s with
        {
            InitContainers = [new TemplateContainer { Name = "first" }],
            Sidecars = [new TemplateContainer { Name = "beside" }],
        });
        var spec = blueprint.Pod!.Spec!;
        Assert.Equal("1", Made(blueprint, "TOKEN"));
        Assert.All([spec.InitContainers![0], spec.Containers[1]], c => Assert.DoesNotContain(c.Env!, e => e.Name == "TOKEN"));
    }

    [Fact]
    public void NameThatTheTemplateHas_IsTheTemplates_AlsoOfAParameterWithoutValue()
    {
        var blueprint = Make([("EDITOR", "vim"), ("REPOSITORY", "x"), ("LANG", "de")], s => s with
        {
            Env = [new TemplateVariable { Name = "EDITOR", Value = "nano" }],
            Parameters = [new TemplateParameter { Name = "repository", Env = "REPOSITORY" }],
        });
        Assert.Equal("nano", Made(blueprint, "EDITOR"));
        Assert.Null(Made(blueprint, "REPOSITORY"));
        Assert.Equal("de", Made(blueprint, "LANG"));
        Assert.Equal(["EDITOR", "REPOSITORY"], blueprint.LeftOutVariables.AsEnumerable());
    }

    [Theory]
    [InlineData(null, null, "GIT_AUTHOR GIT_EDITOR HTTP_PROXY")]
    [InlineData("GIT_*", null, "GIT_AUTHOR GIT_EDITOR")]
    [InlineData("GIT_*", "GIT_EDITOR", "GIT_AUTHOR")]
    [InlineData("GIT_", null, "")]
    [InlineData("*", "HTTP_*", "GIT_AUTHOR GIT_EDITOR")]
    [InlineData("", null, "")]
    [InlineData(null, "*", "")]
    public void PersonalVariables_OfTheTemplate_SayWhichAreTaken(string? allow, string? deny, string taken)
    {
        var blueprint = Make([("GIT_AUTHOR", "a"), ("GIT_EDITOR", "b"), ("HTTP_PROXY", "c")], s => s with
        {
            PersonalVariables = new TemplatePersonalVariables { Allow = Entries(allow), Deny = Entries(deny) },
        });
        Assert.Empty(blueprint.Problems);
        var names = blueprint.Pod!.Spec!.Containers[0].Env!.Select(e => e.Name).Where(n => n.StartsWith("GIT_", StringComparison.Ordinal)
            || n == "HTTP_PROXY");
        Assert.Equal(taken, string.Join(' ', names));

        static string[]? Entries(string? text) => text?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory]
    [InlineData("GIT*HUB")]
    [InlineData("1*")]
    [InlineData("A B")]
    public void PersonalVariables_NoEntry_IsTheTemplatesProblem(string entry)
    {
        var blueprint = Make([], s => s with { PersonalVariables = new TemplatePersonalVariables { Deny = [entry] } });
        var problem = Assert.Single(blueprint.Problems);
        Assert.Equal((FailureClasses.Template, Reasons.InvalidTemplate), (problem.Class, problem.Reason));
        Assert.Contains($"'{entry}'", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PATH")]
    [InlineData("HOME")]
    [InlineData("PORT")]
    [InlineData("HOSTNAME")]
    [InlineData("GLIBC_TUNABLES")]
    [InlineData("WORKSPACE_URL")]
    [InlineData("WORKSPACE_ANYTHING")]
    [InlineData("BERTH_TOKEN_FILE")]
    [InlineData("KUBERNETES_SERVICE_HOST")]
    [InlineData("LD_PRELOAD")]
    [InlineData("DYLD_INSERT_LIBRARIES")]
    [InlineData("A-B")]
    [InlineData("1A")]
    [InlineData("")]
    [InlineData("A\n")]
    public void Name_ThatCannotBe_IsThePersonsProblem_AndNoPodIsMade(string name)
    {
        var blueprint = Make([(name, "x")]);
        var problem = Assert.Single(blueprint.Problems);
        Assert.Equal((FailureClasses.User, Reasons.InvalidEnvironment), (problem.Class, problem.Reason));
        Assert.Contains($"'{name}' of spec.environment", problem.Message, StringComparison.Ordinal);
        Assert.Null(blueprint.Pod);
    }

    [Theory]
    [InlineData("path")]
    [InlineData("PATHS")]
    [InlineData("GOLD_LINKER")]
    [InlineData("_")]
    public void Name_ThatOnlyLooksReserved_IsTaken(string name) => Assert.Equal("x", Made(Make([(name, "x")]), name));

    [Fact]
    public void Bounds_AreKept_AndAllMistakesToldAtOnce()
    {
        Assert.Empty(Make([("A", new string('x', EnvironmentRules.MaximumValue))]).Problems);
        Assert.Single(Make([("A", new string('x', EnvironmentRules.MaximumValue + 1))]).Problems);
        Assert.Single(Make([("A", "a\0b")]).Problems);
        Assert.Single(Make([("A", "1"), ("A", "2")]).Problems);
        Assert.Single(Make([.. Enumerable.Range(0, 65).Select(i => ($"A{i}", "1"))]).Problems);
        Assert.Empty(Make([.. Enumerable.Range(0, 64).Select(i => ($"A{i}", "1"))]).Problems);

        // Bytes, not characters: 8 × 4000 × 2.
        Assert.Empty(Make([.. Enumerable.Range(0, 8).Select(i => ($"A{i}", new string('x', 4000)))]).Problems);
        Assert.Single(Make([.. Enumerable.Range(0, 8).Select(i => ($"A{i}", new string('ü', 4000)))]).Problems);
        Assert.Equal(2, Make([("PATH", "1"), ("1", "2")]).Problems.Length);
    }

    [Fact]
    public void Change_OfAValue_IsAnotherRevision_AndOfTheirOrderIsNot()
    {
        var made = Make([("A", "1"), ("B", "2")]).Revision;
        Assert.Equal(made, Make([("B", "2"), ("A", "1")]).Revision);
        Assert.NotEqual(made, Make([("A", "1"), ("B", "3")]).Revision);
        Assert.NotEqual(made, Make([]).Revision);
        Assert.Equal(Make([]).Revision, Make([("A", "1")], s => s with { Env = [], PersonalVariables = new() { Allow = [] } }).Revision);
    }

    private static string? Made(Blueprint blueprint, string name) =>
        blueprint.Pod!.Spec!.Containers[0].Env!.SingleOrDefault(e => e.Name == name)?.Value;

    private static Blueprint Make(
        (string Name, string Value)[] variables, Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec>? change = null) =>
        Blueprint.For(
            TestData.Workspace(s => s with { Environment = [.. variables.Select(v => new WorkspaceVariable { Name = v.Name, Value = v.Value })] }),
            TestData.Template(change),
            TestData.Settings,
            new BlueprintFacts());
}
