using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class TemplateChainTests
{
    [Fact]
    public void Follow_NotRetired_IsTheOneThatIsNamed()
    {
        var chain = Follow("a", ("a", null));
        Assert.Equal("a", chain.Template!.Metadata.Name);
        Assert.Empty(chain.Redirects);
        Assert.False(chain.IsRedirected);
        Assert.Null(chain.Problem);
    }

    [Fact]
    public void Follow_Unknown_IsNone() => Assert.Null(Follow("x", ("a", null)).Template);

    [Fact]
    public void Follow_Successors_LeadsToTheLast_AndNamesTheWay()
    {
        var chain = Follow("a", ("a", "b"), ("b", "c"), ("c", null));
        Assert.Equal("c", chain.Template!.Metadata.Name);
        Assert.Equal("b c", string.Join(" ", chain.Redirects));
        Assert.True(chain.IsRedirected);
    }

    [Theory]
    [InlineData("a>a", "a", "lead back to 'a'")]
    [InlineData("a>b b>a", "a", "lead back to 'a'")]
    [InlineData("a>b b>c c>b", "a", "lead back to 'b'")]
    [InlineData("a>b", "a", "no template 'b'")]
    [InlineData("a>b b>c", "a", "a -> b -> c")]
    public void Follow_LeadsNowhere_IsAClearProblem_AndTheFirstOneStays(string text, string name, string problem)
    {
        var chain = Follow(name, Parse(text));
        Assert.Equal(FailureClasses.Template, chain.Problem!.Class);
        Assert.Contains(problem, chain.Problem.Message, StringComparison.Ordinal);
        Assert.Equal(name, chain.Template!.Metadata.Name);
        Assert.False(chain.IsRedirected);
    }

    [Theory]
    [InlineData(8, null)]
    [InlineData(9, "more than 8")]
    [InlineData(500, "more than 8")]
    public void Follow_LongWay_EndsAfterEight(int length, string? problem)
    {
        var looks = 0;
        var chain = TemplateChain.Follow("t0", name =>
        {
            looks++;
            var number = int.Parse(name[1..], System.Globalization.CultureInfo.InvariantCulture);
            return Template(name, number < length ? $"t{number + 1}" : null);
        });
        Assert.True(looks <= TemplateChain.MaxRedirects + 1);
        Assert.True(chain.Redirects.Length <= TemplateChain.MaxRedirects);
        if (problem is null)
        {
            Assert.Null(chain.Problem);
        }
        else
        {
            Assert.Contains(problem, chain.Problem!.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Whoever follows a way past a template has to be woken by its change: forwards and backwards agree, on any graph.</summary>
    [Fact]
    public void LeadingTo_RandomGraphs_IsTheReverseOfFollow()
    {
        var random = new Random(3);
        for (var round = 0; round < 500; round++)
        {
            var edges = Enumerable.Range(0, 12).ToDictionary(i => $"t{i}", _ => random.Next(3) == 0 ? null : $"t{random.Next(14)}");
            foreach (var name in edges.Keys)
            {
                var chain = TemplateChain.Follow(name, n => edges.TryGetValue(n, out var next) ? Template(n, next) : null);
                foreach (var passed in chain.Redirects.Append(name))
                {
                    var woken = TemplateChain.LeadingTo(passed, n => edges.Where(e => e.Value == n).Select(e => e.Key));
                    Assert.Contains(name, woken);
                    Assert.Equal(woken.Distinct().Count(), woken.Length);
                }
            }
        }
    }

    [Fact]
    public void Redirect_OfARunningWorkspace_WaitsForTheNextStart()
    {
        var world = World.Running();
        var pod = world.Seen.Pod!;
        var successor = Named(TestData.Template(s => s with
        {
            Image = "studio:2",
            Egress = new TemplateEgress { Mode = EgressModes.None }
        }), "studio2");
        Redirect(world, successor);
        world.PodTemplate = TestData.Template();
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Same(pod, world.Seen.Pod);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Equal(["studio2"], world.Status.TemplateRevision!.Redirects!);
        Assert.True(world.Status.TemplateRevision.PendingRestart);
        Assert.Equal((Reasons.Redirected, "True"), (world.Condition(ConditionTypes.TemplateResolved).Reason,
            world.Condition(ConditionTypes.TemplateResolved).Status));

        // What runs goes on as its own template says; what starts next, as the successor does.
        Assert.Contains(world.Seen.NetworkPolicy!.Spec!.Egress!, r => r.To!.Any(t => t.IpBlock is not null));
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.PodGone();
        world.PodTemplate = null;
        world.Change(s => s with { DesiredState = DesiredStates.Running });
        world.Settle();
        Assert.Equal("studio:2", world.Seen.Pod!.Spec!.Containers[0].Image);
        Assert.Equal("studio2", world.Seen.Pod.Metadata.Labels![Labels.Template]);
        Assert.DoesNotContain(world.Seen.NetworkPolicy!.Spec!.Egress!, r => r.To!.Any(t => t.IpBlock is not null));
        Assert.False(world.Status.TemplateRevision!.PendingRestart);
        Assert.Equal(["studio2"], world.Status.TemplateRevision.Redirects!);
    }

    [Fact]
    public void Redirect_ThatLeadsNowhere_KeepsTheRunningPod_AndStartsNoOther()
    {
        var world = World.Running();
        var pod = world.Seen.Pod;
        world.Seen = world.Seen with
        {
            Chain = TemplateChain.Follow("studio", n => n == "studio" ? Named(TestData.Template(s => s with { Retired = To("gone") }), n)
                : null),
        };
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Same(pod, world.Seen.Pod);
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Contains("no template 'gone'", world.Status.Message, StringComparison.Ordinal);
        Assert.Equal(["gone"], world.Status.TemplateRevision!.Redirects!);

        world.PodGone();
        world.Settle();
        Assert.Null(world.Seen.Pod);
        Assert.Equal((WorkspacePhases.Failed, FailureClasses.Template), (world.Phase, world.Status.Failure!.Class));
    }

    [Fact]
    public void Redirect_ParametersTheSuccessorDoesNotKnow_AreToldAndLeftOut()
    {
        var world = World.Running();
        world.Change(s => s with { Parameters = new Dictionary<string, string> { ["shell"] = "zsh", ["threads"] = "4" } });
        Redirect(world, Named(TestData.Template(s => s with
        {
            Parameters = [new TemplateParameter { Name = "threads",
            Env = "THREADS" }]
        }), "studio2"));
        world.Settle();
        Assert.Contains("no parameter shell", world.Condition(ConditionTypes.TemplateResolved).Message, StringComparison.Ordinal);
        var note = Assert.Single(world.Notes, n => n.Reason == Reasons.Redirected);
        Assert.True(note.Warning);

        world.RequestRestart();
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.Equal("4", world.Seen.Pod!.Spec!.Containers[0].Env!.Single(e => e.Name == "THREADS").Value);
        Assert.Single(world.Notes, n => n.Reason == Reasons.Redirected);
    }

    [Fact]
    public void Redirect_ValueThatTheSuccessorRefuses_KeepsThePod_AndIsTold()
    {
        var world = World.Running();
        world.Change(s => s with { Parameters = new Dictionary<string, string> { ["threads"] = "many" } });
        Redirect(world, Named(TestData.Template(s => s with
        {
            Parameters = [new TemplateParameter { Name = "threads", Env = "THREADS", Type = ParameterTypes.Number }],
        }), "studio2"));
        Assert.DoesNotContain("DeletePod", world.Settle());
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Contains("'threads' must be a whole number", world.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retired_WithoutSuccessor_TakesNoNewWorkspace_AndNamesTheRemedy()
    {
        var world = new World();
        world.Seen = world.Seen with
        {
            Template = TestData.Template(s => s with { Retired = new TemplateRetirement { Message = "Python 3.8 is no longer kept." } }),
            KnownTemplates = ["jupyterlab", "web"],
        };
        Assert.DoesNotContain("CreatePod", world.Settle());
        Assert.Equal((WorkspacePhases.Failed, FailureClasses.User, Reasons.TemplateRetired),
            (world.Phase, world.Status.Failure!.Class, world.Status.Failure.Reason));
        Assert.Contains("Python 3.8 is no longer kept", world.Status.Message, StringComparison.Ordinal);
        Assert.Contains("Set spec.template.name to another one: jupyterlab, web.", world.Status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Retired_WithoutSuccessor_ExistingWorkspacesGoOn_AlsoAfterAStop()
    {
        var world = World.Running();
        world.Seen = world.Seen with { Template = TestData.Template(s => s with { Retired = new TemplateRetirement() }) };
        world.Settle();
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.PodGone();
        world.Settle();
        world.Change(s => s with { DesiredState = DesiredStates.Running });
        Assert.Contains("CreatePod", world.Settle());
    }

    [Fact]
    public void Egress_ChangeOfTheTemplate_ReachesARunningWorkspaceAtOnce()
    {
        var world = World.Running();
        world.Seen = world.Seen with
        {
            Template = TestData.Template(s =>
            s with { Egress = new TemplateEgress { Mode = EgressModes.None } })
        };
        Assert.Contains("ApplyNetworkPolicy", world.Settle());
        Assert.DoesNotContain(world.Seen.NetworkPolicy!.Spec!.Egress!, r => r.To!.Any(t => t.IpBlock is not null));
        Assert.Equal(WorkspacePhases.Running, world.Phase);
    }

    private static void Redirect(World world, WorkspaceTemplate successor)
    {
        var retired = TestData.Template(s => s with { Retired = To(successor.Metadata.Name!) });
        world.Seen = world.Seen with
        {
            Template = successor,
            Chain = TemplateChain.Follow("studio", n => n == "studio" ? retired : n == successor.Metadata.Name ? successor : null),
        };
    }

    private static TemplateRetirement To(string successor) => new() { Successor = successor };

    private static TemplateChain Follow(string name, params (string Name, string? Next)[] templates) =>
        TemplateChain.Follow(name, n => templates.Where(t => t.Name == n).Select(t => Template(t.Name, t.Next)).FirstOrDefault());

    private static (string Name, string? Next)[] Parse(string text) =>
        [.. text.Split(' ').Select(e => e.Split('>')).Select(e => (e[0], (string?)e[1]))];

    private static WorkspaceTemplate Template(string name, string? successor) =>
        Named(TestData.Template(s => s with { Retired = successor is null ? null : To(successor) }), name);

    private static WorkspaceTemplate Named(WorkspaceTemplate template, string name) =>
        template with { Metadata = new ObjectMeta { Name = name, Namespace = TestData.Ns } };
}
