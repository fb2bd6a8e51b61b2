namespace Kube.Client;

/// <summary>
/// A kubeconfig or the in-cluster credentials cannot be used. The message lists every problem found, each with file, field and remedy;
/// never a credential.
/// </summary>
public sealed class KubeConfigException : Exception
{
    /// <summary>With all problems found.</summary>
    public KubeConfigException(IReadOnlyList<string> problems)
        : base(Describe(problems)) => Problems = problems;

    /// <summary>The problems, one sentence or two each.</summary>
    public IReadOnlyList<string> Problems { get; }

    private static string Describe(IReadOnlyList<string> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        return problems.Count == 1
            ? $"The Kubernetes configuration cannot be used: {problems[0]}"
            : $"The Kubernetes configuration cannot be used:{Environment.NewLine}- {string.Join(Environment.NewLine + "- ", problems)}";
    }
}
