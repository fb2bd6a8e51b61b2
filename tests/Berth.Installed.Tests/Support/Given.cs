using System.Reflection;
using Testing;

namespace Berth.Installed.Tests;

/// <summary>What the machine gives for these tests, and why they are skipped where it does not.</summary>
internal static class Given
{
    /// <summary>Folder of the repository.</summary>
    public static string Repository { get; } = typeof(Given).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "Repository").Value!;

    /// <summary>The chart.</summary>
    public static string Chart => Path.Combine(Repository, "charts", "berth");

    /// <summary>A program that renders a chart as <c>helm template</c> does, with helm-render's options.</summary>
    public static string? Renderer => Variable("BERTH_TEST_HELM_RENDER");

    /// <summary>The API server's audit log, where it is a file of this machine.</summary>
    public static string? AuditLog => Variable("BERTH_TEST_AUDIT_LOG");

    /// <summary>Traefik's definitions, a folder for each version.</summary>
    public static string? TraefikDefinitions => Variable("BERTH_TEST_TRAEFIK_CRDS");

    /// <summary>This machine's address as pods reach it: Docker's bridge where nobody says another.</summary>
    public static string HostAddress => Variable("BERTH_TEST_HOST_ADDRESS") ?? "172.17.0.1";

    /// <summary>Whether what is installed stays after the tests.</summary>
    public static bool IsKept => Variable("BERTH_TEST_INSTALL") == "keep";

    /// <summary>Skips unless a cluster is given that may be installed on.</summary>
    public static void Installation()
    {
        Rendering();
        Skip.If(Tools.Kubeconfig is null, "BERTH_TEST_KUBECONFIG names no cluster");
        Skip.IfNot(Variable("BERTH_TEST_INSTALL") is "yes" or "keep",
            "BERTH_TEST_INSTALL=yes allows to install the chart on the cluster and to remove it");
        Skip.If(Tools.Kubectl is null, "needs kubectl");
    }

    /// <summary>Skips unless the chart can be rendered.</summary>
    public static void Rendering() => Skip.If(Renderer is null, "needs a program that renders charts (BERTH_TEST_HELM_RENDER=helm-render)");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
