namespace Berth.Resources;

/// <summary>Types of the conditions in <c>status.conditions</c>, in the order in which a start passes them.</summary>
public static class ConditionTypes
{
    /// <summary>The template exists and takes the parameters.</summary>
    public const string TemplateResolved = "TemplateResolved";

    /// <summary>The policies let it run: it is not frozen, and no ceiling is reached.</summary>
    public const string Admitted = "Admitted";

    /// <summary>The volume is there and bound, or in use.</summary>
    public const string StorageReady = "StorageReady";

    /// <summary>The pod has a node.</summary>
    public const string PodScheduled = "PodScheduled";

    /// <summary>The container answers its readiness probe.</summary>
    public const string PodReady = "PodReady";

    /// <summary>The host leads to the workspace.</summary>
    public const string RouteReady = "RouteReady";

    /// <summary>The workspace can be used: storage, pod and route are ready.</summary>
    public const string Ready = "Ready";

    /// <summary>
    /// What is known of use is fresh enough to conclude from silence. Beside the others: it has no part in <see cref="Ready"/>, and it is
    /// there only once it mattered. While it is False, the workspace is not stopped for lack of use.
    /// </summary>
    public const string ActivityFresh = "ActivityFresh";

    /// <summary>Types that have no part in <see cref="Ready"/> and in <c>status.message</c>.</summary>
    public static IReadOnlyList<string> Beside { get; } = [ActivityFresh];

    /// <summary>All types in order.</summary>
    public static IReadOnlyList<string> InOrder { get; } =
        [TemplateResolved, Admitted, StorageReady, PodScheduled, PodReady, RouteReady, Ready];
}

/// <summary>Values of <c>status.phase</c>: a summary for people; programs look at conditions.</summary>
public static class WorkspacePhases
{
    /// <summary>Not seen by the operator yet.</summary>
    public const string Pending = "Pending";

    /// <summary>On the way to ready.</summary>
    public const string Starting = "Starting";

    /// <summary>Ready.</summary>
    public const string Running = "Running";

    /// <summary>The pod is ending.</summary>
    public const string Stopping = "Stopping";

    /// <summary>No pod; the volume is kept.</summary>
    public const string Stopped = "Stopped";

    /// <summary>It does not start, or ended by itself; <c>status.failure</c> says why and when the next attempt is.</summary>
    public const string Failed = "Failed";

    /// <summary>Being deleted.</summary>
    public const string Terminating = "Terminating";
}

/// <summary>Values of <c>status.queue.for</c>.</summary>
public static class QueueReasons
{
    /// <summary>A place to exist: a volume is made once it has it.</summary>
    public const string Create = "Create";

    /// <summary>A place to run.</summary>
    public const string Run = "Run";
}

/// <summary>Values of <c>spec.desiredState</c>.</summary>
public static class DesiredStates
{
    /// <summary>A pod should run.</summary>
    public const string Running = "Running";

    /// <summary>No pod should be there.</summary>
    public const string Stopped = "Stopped";
}

/// <summary>Values of <c>spec.storage.deletionPolicy</c>.</summary>
public static class DeletionPolicies
{
    /// <summary>The volume outlives the workspace and is found again by the same owner under the same name.</summary>
    public const string Retain = "Retain";

    /// <summary>The volume goes with the workspace.</summary>
    public const string Delete = "Delete";
}

/// <summary>Values of <c>spec.lastRequest.by</c>.</summary>
public static class RequestedBy
{
    /// <summary>The owner or a person it is shared with.</summary>
    public const string User = "user";

    /// <summary>The edge, because somebody came.</summary>
    public const string Edge = "edge";

    /// <summary>The operator, by policy.</summary>
    public const string Operator = "operator";

    /// <summary>An administrator.</summary>
    public const string Admin = "admin";
}

/// <summary>Values of <c>spec.lastRequest.reason</c> that Berth itself writes.</summary>
public static class RequestReasons
{
    /// <summary>Somebody asked for it.</summary>
    public const string Manual = "Manual";

    /// <summary>Somebody opened the workspace.</summary>
    public const string Visit = "Visit";

    /// <summary>Nobody used it.</summary>
    public const string Idle = "Idle";

    /// <summary>A rule of the installation.</summary>
    public const string Policy = "Policy";

    /// <summary>A ceiling was reached.</summary>
    public const string Quota = "Quota";

    /// <summary>An administrator ended it, see <c>spec.administration.forceStopAt</c>.</summary>
    public const string ForceStop = "ForceStop";
}

/// <summary>Values of <c>status.activity.stopReason</c>.</summary>
public static class StopReasons
{
    /// <summary>Nobody uses it.</summary>
    public const string Idle = "Idle";

    /// <summary>It nears the longest run that is allowed.</summary>
    public const string MaxRun = "MaxRun";
}

/// <summary>Values of <c>status.start.path</c>.</summary>
public static class StartPaths
{
    /// <summary>A pod made for this start.</summary>
    public const string Cold = "Cold";

    /// <summary>A pod that was waiting.</summary>
    public const string Warm = "Warm";
}

/// <summary>Values of <c>status.failure.class</c>: whose fault it is, and so who can mend it.</summary>
public static class FailureClasses
{
    /// <summary>The person, or the program they run: parameters, memory use, an exit.</summary>
    public const string User = "User";

    /// <summary>The cluster or Berth: nodes, volumes, quota.</summary>
    public const string Platform = "Platform";

    /// <summary>Whoever wrote the template: image, command, probes.</summary>
    public const string Template = "Template";
}

/// <summary>Types of a template's parameters.</summary>
public static class ParameterTypes
{
    /// <summary>Any text; a pattern may narrow it.</summary>
    public const string Text = "string";

    /// <summary>A whole number; minimum and maximum may narrow it.</summary>
    public const string Number = "int";

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public const string Flag = "bool";

    /// <summary>One of the listed values.</summary>
    public const string Choice = "enum";
}
