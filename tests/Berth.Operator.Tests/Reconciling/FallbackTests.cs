using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>A template that fails again and again, and the one that it names for this case.</summary>
public sealed class FallbackTests
{
    private static readonly WorkspaceTemplate Wished = TestData.Template(s => s with
    {
        Image = "editor:broken",
        FallbackTemplate = "safe"
    });

    private static readonly WorkspaceTemplate Safe = TestData.Template(s => s with { Image = "editor:1", FallbackTemplate = "studio" }) with
    {
        Metadata = new ObjectMeta { Name = "safe", Namespace = TestData.Ns },
    };

    [Fact]
    public void ImageCannotBePulled_ThreeTimes_IsMadeFromTheFallback_AndSaysSo()
    {
        var world = FellBack();
        Assert.Equal("editor:1", world.Seen.Pod!.Spec!.Containers[0].Image);
        Assert.Equal("safe", world.Seen.Pod.Metadata.Labels![Labels.Template]);
        var resolved = world.Condition(ConditionTypes.TemplateResolved);
        Assert.Equal(("True", Reasons.Fallback), (resolved.Status, resolved.Reason));
        Assert.Contains("Template 'studio' failed 3 times in a row", resolved.Message, StringComparison.Ordinal);
        Assert.Contains("The image editor:broken cannot be pulled", resolved.Message, StringComparison.Ordinal);
        var revision = world.Status.TemplateRevision!;
        Assert.Equal(("safe", revision.Desired), (revision.Fallback!.Template, revision.Fallback.Instead));
        Assert.Equal(["safe"], revision.Redirects!);
        Assert.NotEqual(revision.Desired, revision.Current);
        Assert.True(revision.PendingRestart);
        Assert.Single(world.Notes, n => n is { Warning: true, Reason: Reasons.Fallback });
        Assert.Contains(world.Notes, n => n.Message.StartsWith("Starting from template safe", StringComparison.Ordinal));

        world.PodReady();
        world.Settle();
        Assert.Equal(WorkspacePhases.Running, world.Phase);
        Assert.Null(world.Status.Message);
        world.Advance(TimeSpan.FromMinutes(11));
        Assert.Empty(world.Settle());
    }

    [Fact]
    public void FallbackCrashesLater_StaysTheFallback()
    {
        var world = FellBack();
        world.PodReady();
        world.Settle();
        world.Advance(TimeSpan.FromHours(1));
        world.PodFailed();
        Replace(world);
        Assert.Equal("editor:1", world.Seen.Pod!.Spec!.Containers[0].Image);
        Assert.Equal("safe", world.Status.TemplateRevision!.Fallback!.Template);
    }

    [Fact]
    public void FallbackFailsToo_IsTriedAgain_AndNothingElseIs()
    {
        var world = FellBack();
        for (var i = 0; i < 5; i++)
        {
            world.PodFailed(127);
            Replace(world);
            Assert.Equal("editor:1", world.Seen.Pod!.Spec!.Containers[0].Image);
        }
    }

    [Fact]
    public void Restarted_TheWishedTemplateIsTriedAgain()
    {
        var world = FellBack();
        world.PodReady();
        world.Settle();
        world.Advance(TimeSpan.FromMinutes(1));
        world.RequestRestart();
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.Equal("editor:broken", world.Seen.Pod!.Spec!.Containers[0].Image);
        Assert.Null(world.Status.TemplateRevision!.Fallback);
    }

    [Fact]
    public void StoppedAndStarted_TheWishedTemplateIsTriedAgain()
    {
        var world = FellBack();
        world.Change(s => s with { DesiredState = DesiredStates.Stopped });
        world.Settle();
        world.PodGone();
        world.Settle();
        world.Change(s => s with { DesiredState = DesiredStates.Running });
        world.Settle();
        Assert.Equal("editor:broken", world.Seen.Pod!.Spec!.Containers[0].Image);
    }

    [Fact]
    public void WishedTemplateIsCorrected_NothingIsInterrupted_AndTheNextStartIsFromIt()
    {
        var world = FellBack();
        world.PodReady();
        world.Settle();
        world.Seen = world.Seen with { Template = TestData.Template(s => s with { Image = "editor:right", FallbackTemplate = "safe" }) };
        Assert.Equal(["Status"], world.Settle());
        Assert.Null(world.Status.TemplateRevision!.Fallback);
        world.PodGone();
        world.Settle();
        Assert.Equal("editor:right", world.Seen.Pod!.Spec!.Containers[0].Image);
    }

    [Fact]
    public void ApplicationEndsByItself_IsNotTheTemplatesFault()
    {
        var world = Start();
        for (var i = 0; i < 5; i++)
        {
            world.PodFailed(1);
            Replace(world);
            Assert.Equal("editor:broken", world.Seen.Pod!.Spec!.Containers[0].Image);
        }
    }

    [Fact]
    public void NoFallback_ImageCannotBePulled_IsWaitedForTheCorrection()
    {
        var world = Start();
        world.Seen = world.Seen with { Fallback = null };
        NoImage(world);
        world.Settle();
        Assert.Equal((WorkspacePhases.Failed, null), (world.Phase, world.Status.Failure!.NextRetryAt));
    }

    /// <summary>The fallback's templates by name, and whether one is found.</summary>
    [Theory]
    [InlineData("safe", "", true)]
    [InlineData("studio", "", false)]
    [InlineData("missing", "", false)]
    [InlineData("safe", "studio", false)]
    [InlineData("safe", "other", true)]
    public void Fallback_OfAChain_NeverLeadsBack(string fallback, string successorOfSafe, bool found)
    {
        var templates = new Dictionary<string, WorkspaceTemplate>
        {
            ["studio"] = Named("studio", s => s with { FallbackTemplate = fallback }),
            ["safe"] = Named("safe", s => s with
            {
                Retired = successorOfSafe.Length == 0 ? null : new TemplateRetirement { Successor = successorOfSafe },
            }),
            ["other"] = Named("other", s => s with { FallbackTemplate = "studio" }),
        };
        var chain = TemplateChain.Follow("studio", n => templates.GetValueOrDefault(n));
        Assert.Equal(found, chain.Fallback("studio", n => templates.GetValueOrDefault(n)) is not null);
    }

    private static WorkspaceTemplate Named(string name, Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec> change) =>
        TestData.Template(change) with { Metadata = new ObjectMeta { Name = name, Namespace = TestData.Ns } };

    private static World Start()
    {
        var world = new World();
        var chain = TemplateChain.Follow("studio", Find);
        world.Seen = world.Seen with { Template = Wished, Chain = chain, Fallback = chain.Fallback("studio", Find) };
        Assert.NotNull(world.Seen.Fallback);
        world.Settle();
        return world;

        static WorkspaceTemplate? Find(string name) => name == "studio" ? Wished : name == "safe" ? Safe : null;
    }

    private static World FellBack()
    {
        var world = Start();
        for (var i = 0; i < 3; i++)
        {
            NoImage(world);
            Replace(world);
        }

        return world;
    }

    private static void NoImage(World world) => world.PodStatus(new PodStatus
    {
        Phase = "Pending",
        ContainerStatuses =
        [
            new ContainerStatus
            {
                Name = "workspace",
                State = new ContainerState { Waiting = new ContainerStateWaiting { Reason = "ImagePullBackOff" } },
            },
        ],
    });

    /// <summary>The pause after a failure passes, and the pod is made anew.</summary>
    private static void Replace(World world)
    {
        world.Settle();
        world.Advance(Backoff.Longest);
        world.Settle();
        world.PodGone();
        world.Settle();
        Assert.NotNull(world.Seen.Pod);
    }
}
