using Kube.Client;

namespace Kube.Runtime;

/// <summary>Tells people what happened to an object: what <c>kubectl describe</c> shows.</summary>
public interface IEventRecorder
{
    /// <summary>Something went as it should.</summary>
    /// <param name="about">The object, as read from the API.</param>
    /// <param name="reason">CamelCase word for machines, at most 128 characters.</param>
    /// <param name="message">For people; cut at 1024 characters. No secrets.</param>
    void Normal(IKubeObject about, string reason, string message);

    /// <summary>Something a person may have to look at.</summary>
    /// <inheritdoc cref="Normal"/>
    void Warning(IKubeObject about, string reason, string message);
}
