using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator.Tests;

/// <summary>Workspaces that live: time passes, a replica of the edge reports, somebody uses them.</summary>
internal static class Lives
{
    internal static readonly TimeSpan Idle = TimeSpan.FromMinutes(30);
    internal static readonly TimeSpan Warn = TimeSpan.FromMinutes(5);

    internal static DateTimeOffset Ready => TestData.Now.AddSeconds(3);

    internal static EdgeReport Edge(string name, DateTimeOffset renewed, DateTimeOffset? written = null) => new()
    {
        Name = name,
        RenewedAt = renewed,
        Duration = TimeSpan.FromSeconds(30),
        WrittenUntil = written ?? renewed,
        Confirmed = true,
    };

    internal static World Announced()
    {
        var world = World.Running();
        Assert.Equal(["Status"], Pass(world, Idle - Warn));
        return world;
    }

    internal static World Running(WorkspaceLifetime lifetime, PolicyLifetime? policy = null, bool edges = true)
    {
        var world = World.Running();
        world.Change(s => s with { Lifetime = lifetime });
        world.Seen = world.Seen with { Policy = EffectivePolicy.From(new BerthPolicySpec { Lifetime = policy }) };
        world.Seen = world.Seen with { Edges = edges ? [Edge("edge-a", world.Now)] : ImmutableArray<EdgeReport>.Empty };
        world.Settle();
        return world;
    }

    /// <summary>Lets time pass while a replica of the edge reports, and decides.</summary>
    internal static List<string> Pass(World world, TimeSpan time)
    {
        world.Advance(time);
        world.Seen = world.Seen with { Edges = [Edge("edge-a", world.Now)] };
        return world.Settle();
    }

    internal static void Use(World world, DateTimeOffset at) => Activity(world, a => a with { Last = at, Source = "Input" });

    internal static void Activity(World world, Func<WorkspaceActivity, WorkspaceActivity> change) =>
        world.Seen = world.Seen with
        {
            Workspace = world.Seen.Workspace with
            {
                Status = world.Status with { Activity = change(world.Status.Activity ?? new WorkspaceActivity()) },
            },
        };
}
