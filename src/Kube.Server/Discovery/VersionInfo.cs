using System.Text.Json.Nodes;

namespace Kube.Server.Discovery;

/// <summary>
/// What /version says. The minor version is the Kubernetes release whose API behaviour is followed; the suffix says that it is not
/// Kubernetes itself.
/// </summary>
internal static class VersionInfo
{
    public const string GitVersion = "v1.33.0-berth";

    public static JsonObject Body => new()
    {
        ["major"] = "1",
        ["minor"] = "33",
        ["gitVersion"] = GitVersion,
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = "",
        ["compiler"] = "dotnet",
        ["platform"] = "any",
    };
}
