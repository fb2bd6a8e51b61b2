namespace Kube.Client;

/// <summary>What of the machine decides which configuration is found; a seam for tests.</summary>
internal sealed record KubeConfigEnvironment(Func<string, string?> Variable, string Home, string ServiceAccountFolder)
{
    /// <summary>The real one.</summary>
    public static KubeConfigEnvironment Process { get; } = new(
        Environment.GetEnvironmentVariable,
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
        "/var/run/secrets/kubernetes.io/serviceaccount");
}
