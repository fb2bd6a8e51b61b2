using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>A person's variables against an API: what its schema takes, and what the pods it stores have.</summary>
public abstract class EnvironmentSuite : OperatorTestBase
{
    [SkippableFact]
    public async Task Variables_AreInThePodOfEachStart_AndAChangeWaitsForARestart()
    {
        SkipIfThereIsNoApi();
        await CreateAsync(s => s with { Environment = [Variable("EDITOR", "vim"), Variable("PRICE", "$(PORT) $$ 5\n")] });
        var first = (await UntilAsync<Pod>(Name, p => p is not null))!;
        Assert.Equal("vim", Value(first, "EDITOR"));
        Assert.Equal("$$(PORT) $$$$ 5\n", Value(first, "PRICE"));
        await AnswersAsync();
        await PodReadyAsync();

        await PatchAsync<UserWorkspace>(Name, """{"spec":{"environment":[{"name":"EDITOR","value":"nano"}]}}""");
        var told = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.TemplateRevision?.PendingRestart == true);
        Assert.Equal(WorkspacePhases.Running, told!.Status!.Phase);
        Assert.Equal(first.Metadata.Uid, (await Client.GetAsync<Pod>(Ns, Name, default)).Metadata.Uid);

        await PatchAsync<UserWorkspace>(Name, $$$$"""{"metadata":{"annotations":{"{{{{Annotations.RestartedAt}}}}":"2030-01-01T00:00:00Z"}}}""");
        var second = await UntilAsync<Pod>(Name, p => p is not null && p.Metadata.Uid != first.Metadata.Uid);
        Assert.Equal("nano", Value(second!, "EDITOR"));
        Assert.Null(Value(second!, "PRICE"));
        await UntilAsync<UserWorkspace>(Name, w => w?.Status?.TemplateRevision?.PendingRestart == false);
    }

    [SkippableFact]
    public async Task Variable_ThatTheTemplateDoesNotTake_IsLeftOutAndTold()
    {
        SkipIfThereIsNoApi();
        await PatchAsync<WorkspaceTemplate>("studio",
            """{"spec":{"personalVariables":{"deny":["HTTP_*"]},"env":[{"name":"EDITOR","value":"nano"}]}}""");
        await CreateAsync(s => s with { Environment = [Variable("EDITOR", "vim"), Variable("HTTP_PROXY", "x"), Variable("LANG", "de")] });

        // The operator may have looked before it knew of the template's change; a pod that never ran is then made anew.
        var workspace = await UntilAsync<UserWorkspace>(Name, w => w?.Status?.Conditions?.Any(c =>
            c.Type == ConditionTypes.TemplateResolved && c.Message?.Contains("EDITOR, HTTP_PROXY", StringComparison.Ordinal) == true) == true);
        Assert.Equal("True", workspace!.Status!.Conditions!.Single(c => c.Type == ConditionTypes.TemplateResolved).Status);
        var pod = await UntilAsync<Pod>(Name, p => p is not null && Value(p, "HTTP_PROXY") is null);
        Assert.Equal(("nano", "de"), (Value(pod!, "EDITOR"), Value(pod!, "LANG")));
    }

    [SkippableTheory]
    [InlineData("A-B", "x", false)]
    [InlineData("1A", "x", false)]
    [InlineData("", "x", false)]
    [InlineData("A", "a\0b", false)]
    [InlineData("PATH", "x", true)]
    [InlineData("LD_PRELOAD", "x", true)]
    [InlineData("WORKSPACE_URL", "x", true)]
    public async Task Variable_ThatCannotBe_TheApiRefusesItByField(string name, string value, bool byRule)
    {
        SkipIfThereIsNoApi();
        if (byRule)
        {
            await SkipWithoutCelAsync();
        }

        var error = await Assert.ThrowsAsync<KubeException>(() => CreateAsync(s => s with { Environment = [Variable("B", "1"), Variable(name, value)] }));
        Assert.Equal(422, error.Code);

        // Older servers leave the index out of the field's path.
        Assert.Matches(@"spec\.environment(\[1\])?\." + (name == "A" ? "value" : "name"), error.Message);
    }

    [SkippableFact]
    public async Task Variables_TooManyOrTwice_TheApiRefusesThem()
    {
        SkipIfThereIsNoApi();
        var many = await Assert.ThrowsAsync<KubeException>(() =>
            CreateAsync(s => s with { Environment = [.. Enumerable.Range(0, 65).Select(i => Variable($"A{i}", "1"))] }));
        var twice = await Assert.ThrowsAsync<KubeException>(() => CreateAsync(s => s with { Environment = [Variable("A", "1"), Variable("A", "2")] }));
        Assert.Equal((422, 422), (many.Code, twice.Code));
        Assert.Contains("spec.environment", many.Message, StringComparison.Ordinal);
        Assert.Contains("spec.environment[1]", twice.Message, StringComparison.Ordinal);
    }

    private static WorkspaceVariable Variable(string name, string value) => new() { Name = name, Value = value };

    private static string? Value(Pod pod, string name) => pod.Spec!.Containers[0].Env!.SingleOrDefault(e => e.Name == name)?.Value;
}

/// <summary>The suite on the embedded API.</summary>
public sealed class EnvironmentOnKubeServerTests : EnvironmentSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.KubeServerAsync();
}

/// <summary>The suite on a real cluster.</summary>
public sealed class EnvironmentOnClusterTests : EnvironmentSuite
{
    private protected override Task<TestedApi> OpenAsync() => TestedApi.ClusterAsync();
}
