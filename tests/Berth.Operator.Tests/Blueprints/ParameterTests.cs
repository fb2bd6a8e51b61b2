using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class ParameterTests
{
    public static TheoryData<string> Hostile => new()
    {
        "$(WORKSPACE_IDENTITY_JWKS)", "$$(PORT)", "$", "$$", "${HOME}", "`id`", "\"; rm -rf / #", "a\nb", "a: b\n- c", "{\"a\":1}",
            "{{ .Values }}",
        "../../etc/passwd", "-rf", "日本語", "",
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Value_WhateverItIs_IsDataInVariableAndFile(string value)
    {
        var blueprint = Make(
            s => s with { Parameters = new Dictionary<string, string> { ["a"] = value } },
            new TemplateParameter { Name = "a", Env = "A", File = "a" });
        var pod = blueprint.Pod!;

        // As a node reads it: $$ is a dollar sign, $(NAME) a variable.
        var variable = pod.Spec!.Containers[0].Env!.Single(e => e.Name == "A").Value!;
        Assert.Equal(value, Node(variable));
        Assert.Equal(value, pod.Metadata.Annotations![Annotations.ParameterPrefix + "a"]);
    }

    [Fact]
    public void Value_OfATemplatesOwnVariable_MayStillReferToOthers()
    {
        var blueprint = Make(
            s => s with { Parameters = new Dictionary<string, string> { ["a"] = "1" } },
            [new TemplateParameter { Name = "a", Env = "A" }],
            s => s with { Env = [new TemplateVariable { Name = "B", Value = "$(A)/$(WORKSPACE_ROOT)" }] });
        Assert.Equal("$(A)/$(WORKSPACE_ROOT)", blueprint.Pod!.Spec!.Containers[0].Env!.Single(e => e.Name == "B").Value);
    }

    [Fact]
    public void Files_AreProjectedFromAnnotations_IntoAFolderThatIsTold()
    {
        var pod = Make(
            s => s with { Parameters = new Dictionary<string, string> { ["key"] = "secret" } },
            new TemplateParameter { Name = "key", File = "id_key" },
            new TemplateParameter { Name = "unset", File = "unset.txt" },
            new TemplateParameter { Name = "plain", Env = "PLAIN", Default = "p" }).Pod!;
        var volume = Assert.Single(pod.Spec!.Volumes!, v => v.DownwardAPI is not null);
        var item = Assert.Single(volume.DownwardAPI!.Items!);
        Assert.Equal(("id_key", "metadata.annotations['parameter.berth.dev/id_key']"), (item.Path, item.FieldRef!.FieldPath));
        var mount = Assert.Single(pod.Spec.Containers[0].VolumeMounts!, m => m.Name == volume.Name);
        Assert.True(mount.ReadOnly);
        Assert.Equal(mount.MountPath, pod.Spec.Containers[0].Env!.Single(e => e.Name == "WORKSPACE_PARAMETERS").Value);

        // In the pod there is no other trace of it.
        Assert.DoesNotContain(pod.Spec.Containers[0].Env!, e => e.Value?.Contains("secret", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void NoFiles_NoFolder()
    {
        var pod = Make(null, new TemplateParameter { Name = "a", Env = "A", Default = "1" }).Pod!;
        Assert.DoesNotContain(pod.Spec!.Volumes!, v => v.DownwardAPI is not null);
        Assert.DoesNotContain(pod.Spec.Containers[0].Env!, e => e.Name == "WORKSPACE_PARAMETERS");
    }

    [Fact]
    public void Values_OfEveryTypeWrong_AreAllToldAtOnce_WithWhatIsAllowed()
    {
        var blueprint = Make(
            s => s with
            {
                Parameters = new Dictionary<string, string>
                {
                    ["text"] = "UPPER",
                    ["line"] = "a\n",
                    ["low"] = "0",
                    ["high"] = "65",
                    ["number"] = "1e3",
                    ["flag"] = "yes",
                    ["choice"] = "c",
                    ["long"] = new('x', 257),
                    ["other"] = "1",
                },
            },
            new TemplateParameter { Name = "text", Env = "A", Pattern = "[a-z]+" },
            new TemplateParameter { Name = "line", Env = "B", Pattern = "[a-z]+" },
            new TemplateParameter { Name = "low", Env = "C", Type = ParameterTypes.Number, Minimum = 1, Maximum = 64 },
            new TemplateParameter { Name = "high", Env = "D", Type = ParameterTypes.Number, Minimum = 1, Maximum = 64 },
            new TemplateParameter { Name = "number", Env = "E", Type = ParameterTypes.Number },
            new TemplateParameter { Name = "flag", Env = "F", Type = ParameterTypes.Flag },
            new TemplateParameter { Name = "choice", Env = "G", Type = ParameterTypes.Choice, Values = ["a", "b"] },
            new TemplateParameter { Name = "long", Env = "H" },
            new TemplateParameter { Name = "missing", Env = "I", Required = true });
        Assert.All(blueprint.Problems, p => Assert.Equal((FailureClasses.User, Reasons.InvalidParameter), (p.Class, p.Reason)));
        string[] expected =
        [
            "no parameter 'other'", "'text' must be a text that matches [a-z]+", "'line' must be",
                "'low' must be a whole number from 1 to 64",
            "'high' must be", "'number' must be a whole number", "'flag' must be true or false", "'choice' must be one of a, b",
            "'long' must be at most 256", "'missing' is required",
        ];
        Assert.All(expected, e => Assert.Contains(blueprint.Problems, p => p.Message.Contains(e, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, blueprint.Problems.Length);
    }

    private static Blueprint Make(Func<UserWorkspaceSpec, UserWorkspaceSpec>? change, params TemplateParameter[] parameters) =>
        Make(change, parameters, s => s);

    private static Blueprint Make(
        Func<UserWorkspaceSpec, UserWorkspaceSpec>? change, TemplateParameter[] parameters, Func<WorkspaceTemplateSpec,
            WorkspaceTemplateSpec> more) =>
        Blueprint.For(
            TestData.Workspace(change), TestData.Template(s => more(s with { Parameters = parameters })), TestData.Settings,
                new BlueprintFacts());

    /// <summary>A value as a node reads it.</summary>
    internal static string Node(string value) => System.Text.RegularExpressions.Regex.Replace(
        value, @"\$\$|\$\([^)]*\)", m => m.Value == "$$" ? "$" : throw new InvalidOperationException($"{m.Value} would be interpreted"));
}
