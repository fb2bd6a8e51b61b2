namespace Kube.Server.Controllers.GarbageCollection;

/// <summary>What an owner reference is worth.</summary>
internal enum OwnerStanding
{
    /// <summary>The owner lives.</summary>
    Solid,

    /// <summary>There is no such owner: gone, or in another namespace.</summary>
    Dangling,

    /// <summary>The owner is being deleted in the foreground and waits for this object, which says that it blocks.</summary>
    Waiting,

    /// <summary>Its kind is not served, so nobody can say.</summary>
    Unknown,
}

/// <summary>What is to be done with an object that has owners.</summary>
internal enum Collect
{
    /// <summary>Nothing.</summary>
    Keep,

    /// <summary>Remove the references that are worth nothing.</summary>
    DropReferences,

    /// <summary>Delete it, dependents later.</summary>
    DeleteBackground,

    /// <summary>Delete it after its own dependents, because its owner waits for all of them.</summary>
    DeleteForeground,
}

/// <summary>Kubernetes' rules for an object with owners, as a pure function.</summary>
internal static class OwnerVerdict
{
    /// <param name="standings">Of each owner.</param>
    /// <param name="hasBlockingDependents">Whether the object itself has dependents.</param>
    public static Collect Decide(IReadOnlyCollection<OwnerStanding> standings, bool hasBlockingDependents)
    {
        if (standings.Count == 0 || standings.Contains(OwnerStanding.Unknown))
        {
            return Collect.Keep;
        }

        if (standings.Contains(OwnerStanding.Solid))
        {
            return standings.All(s => s == OwnerStanding.Solid) ? Collect.Keep : Collect.DropReferences;
        }

        return standings.Contains(OwnerStanding.Waiting) && hasBlockingDependents ? Collect.DeleteForeground : Collect.DeleteBackground;
    }
}
