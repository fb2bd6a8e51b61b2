namespace Berth.Operator.Tests;

/// <summary>What can happen next. Numbers are taken modulo what there is to choose from, so that a sequence means something with any of its acts left out.</summary>
internal enum ActKind
{
    /// <summary>An operator works on a key: A which operator and controller, B how many requests are answered, C what becomes of the next.</summary>
    Work,

    /// <summary>A request under way arrives, or not.</summary>
    Release,

    /// <summary>Watches bring some events.</summary>
    Deliver,

    /// <summary>Watches bring all events.</summary>
    DeliverAll,

    /// <summary>A watch breaks: ended, expired after a compaction, or cut.</summary>
    BreakWatch,

    /// <summary>An operator is asked to look at a key for no reason.</summary>
    Poke,

    /// <summary>A kubelet, the scheduler or the binder does its next step.</summary>
    Advance,

    /// <summary>All of them do all that is due.</summary>
    Settle,

    /// <summary>Something goes wrong with a pod.</summary>
    Trouble,

    /// <summary>A node is lost.</summary>
    LoseNode,

    /// <summary>The node controller gives its pods up.</summary>
    GiveUpNode,

    /// <summary>A node comes back.</summary>
    ReturnNode,

    /// <summary>An administrator removes a pod of a dead node.</summary>
    ForcePod,

    /// <summary>The garbage collector deletes one object.</summary>
    Collect,

    Create,
    Stop,
    Start,
    Restart,
    Delete,
    KeepVolume,
    TakeTemplate,
    TakeResources,
    TakeEnvironment,
    ChangeOwner,
    ChangeTemplate,
    Meddle,

    /// <summary>An administrator freezes, forces a stop, holds, or takes it back.</summary>
    Decide,
    ChangeCeilings,

    /// <summary>An administrator deletes a node that is off, or says that it is out of service.</summary>
    RemoveNode,

    /// <summary>A replica of the edge: starts, ends, sees use, writes and renews.</summary>
    EdgeStart,
    EdgeEnd,
    Use,
    Beat,

    /// <summary>Time passes: seconds, minutes, sometimes half an hour.</summary>
    Wait,

    /// <summary>An operator is killed between two requests.</summary>
    Kill,

    /// <summary>An operator is started; another one may still believe that it leads.</summary>
    Launch,

    /// <summary>The operator that led before learns that it leads no more.</summary>
    LoseLease,
}

/// <summary>One step of a sequence.</summary>
internal readonly record struct Act(ActKind Kind, int A, int B, int C)
{
    private static readonly (ActKind Kind, int Weight)[] Weights =
    [
        (ActKind.Work, 34), (ActKind.Release, 8), (ActKind.Deliver, 10), (ActKind.DeliverAll, 16), (ActKind.BreakWatch, 2), (ActKind.Poke, 3),
        (ActKind.Advance, 16), (ActKind.Settle, 6), (ActKind.Trouble, 4), (ActKind.LoseNode, 1), (ActKind.GiveUpNode, 1),
        (ActKind.ReturnNode, 2), (ActKind.ForcePod, 1), (ActKind.Collect, 5), (ActKind.Create, 6), (ActKind.Stop, 3), (ActKind.Start, 3),
        (ActKind.Restart, 2), (ActKind.Delete, 3), (ActKind.KeepVolume, 2), (ActKind.TakeTemplate, 2), (ActKind.TakeResources, 1), (ActKind.TakeEnvironment, 3),
        (ActKind.ChangeOwner, 1), (ActKind.ChangeTemplate, 1), (ActKind.Meddle, 2), (ActKind.Decide, 3), (ActKind.ChangeCeilings, 1), (ActKind.RemoveNode, 1), (ActKind.EdgeStart, 2), (ActKind.EdgeEnd, 1),
        (ActKind.Use, 4), (ActKind.Beat, 5), (ActKind.Wait, 8), (ActKind.Kill, 2), (ActKind.Launch, 3), (ActKind.LoseLease, 2),
    ];

    private static readonly int Total = Weights.Sum(w => w.Weight);

    internal static Act Next(Random random)
    {
        var at = random.Next(Total);
        foreach (var (kind, weight) in Weights)
        {
            at -= weight;
            if (at < 0)
            {
                return new(kind, random.Next(1000), random.Next(1000), random.Next(1000));
            }
        }

        throw new InvalidOperationException("The weights do not add up.");
    }

    public override string ToString() => $"new(ActKind.{Kind}, {A}, {B}, {C}),";
}
