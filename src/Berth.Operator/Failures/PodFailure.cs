using Berth.Resources;

namespace Berth.Operator;

/// <summary>What a failure calls for.</summary>
public enum FailureEffect
{
    /// <summary>The pod may still come up by itself: it stays, and the workspace is still starting.</summary>
    Wait,

    /// <summary>The pod will hardly come up without a change, but the node keeps trying: it stays, and the workspace has failed.</summary>
    Stuck,

    /// <summary>The pod is finished: another one has to be made, after a pause.</summary>
    Replace,
}

/// <summary>Why a pod does not do its work.</summary>
/// <param name="Class">One of <see cref="FailureClasses"/>: who can mend it.</param>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Message">What happened and what to do about it, in words.</param>
/// <param name="Effect">What it calls for.</param>
public sealed record PodFailure(string Class, string Reason, string Message, FailureEffect Effect);
