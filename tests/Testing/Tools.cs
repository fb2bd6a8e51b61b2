namespace Testing;

/// <summary>Programs of this machine that some tests use.</summary>
public static class Tools
{
    /// <summary>Path of Chromium, or null.</summary>
    public static string? Chromium =>
        Environment.GetEnvironmentVariable("BERTH_TEST_CHROMIUM") ?? Find("chromium") ?? Find("chromium-browser") ?? Find("google-chrome");

    /// <summary>Path of kubectl, or null.</summary>
    public static string? Kubectl => Find("kubectl");

    /// <summary>Kubeconfig of a real cluster to test against, or null.</summary>
    public static string? Kubeconfig => Environment.GetEnvironmentVariable("BERTH_TEST_KUBECONFIG") is { Length: > 0 } path ? path : null;

    /// <summary>A program that starts somebody else's OpenID Provider, or null.</summary>
    public static string? OpenIdProvider => Environment.GetEnvironmentVariable("BERTH_TEST_IDP") is { Length: > 0 } path ? path : null;

    /// <summary>Path of a program on PATH, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(d => Path.Combine(d, program))
            .FirstOrDefault(File.Exists);
}
