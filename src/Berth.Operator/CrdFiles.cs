using Berth.Resources;
using Kube.Runtime;

namespace Berth.Operator;

/// <summary>The custom resource definitions, made from the C# types.</summary>
internal static class CrdFiles
{
    /// <summary>File names and contents.</summary>
    /// <param name="celRules">False for servers before Kubernetes 1.25, which do not know them.</param>
    internal static IReadOnlyList<(string Name, string Yaml)> All(bool celRules = true) =>
    [
        ("berth.dev_userworkspaces.yaml", CrdGenerator.ToYaml<UserWorkspace>(celRules)),
        ("berth.dev_workspacetemplates.yaml", CrdGenerator.ToYaml<WorkspaceTemplate>(celRules)),
        ("berth.dev_berthpolicies.yaml", CrdGenerator.ToYaml<BerthPolicy>(celRules)),
    ];

    internal static int Write(string folder, bool celRules, TextWriter output)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, yaml) in All(celRules))
        {
            var path = Path.Combine(folder, name);
            File.WriteAllText(path, yaml);
            output.WriteLine(path);
        }

        return 0;
    }
}
