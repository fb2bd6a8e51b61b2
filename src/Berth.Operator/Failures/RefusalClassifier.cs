using Berth.Resources;

namespace Berth.Operator;

/// <summary>Tells from the API's words why it refused a part of a workspace. Pure.</summary>
internal static class RefusalClassifier
{
    /// <summary>One of <see cref="FailureClasses"/>, one of <see cref="Reasons"/>, and what happened and what to do in words.</summary>
    internal static (string Class, string Reason, string Message) Classify(ChildPart part, string message)
    {
        var because = FailureText.Because(message);
        return message.Contains("exceeded quota", StringComparison.OrdinalIgnoreCase)
                || message.Contains("failed quota", StringComparison.OrdinalIgnoreCase)
            ? (FailureClasses.Platform, Reasons.QuotaExceeded,
                $"The namespace's quota leaves no room for the {ChildPlan.Name(part)} of the workspace{because}. It is tried again; "
                    + "stop or "
                    + "delete what is not needed, wish for less, or ask an administrator for a larger quota.")
            : message.Contains("violates PodSecurity", StringComparison.OrdinalIgnoreCase)
            ? (FailureClasses.Platform, Reasons.PodSecurity,
                $"The namespace's Pod Security level does not allow the {ChildPlan.Name(part)} of the workspace{because}. What Berth makes "
                    + "meets the level 'restricted': an administrator should look at what else changes pods here, and at the template.")
            : (FailureClasses.Platform, Reasons.Refused,
                $"The API refused the {ChildPlan.Name(part)} of the workspace{because}. An administrator should look at it; it is tried "
                    + "again.");
    }
}
