namespace Berth.Operator;

/// <summary>What <c>--help</c> prints.</summary>
internal static class Usage
{
    internal const string Text = """
        Berth.Operator                        looks after workspaces
        Berth.Operator run [--config FILE]    the same, with a configuration file (JSON)
        Berth.Operator crds --output FOLDER [--without-cel]
                                              writes the custom resource definitions (without CEL rules: for Kubernetes before 1.25)
        Berth.Operator crds --apply [--without-cel]
                                              brings a cluster's definitions up to date; never deletes one
        Berth.Operator archive create|verify|restore|list …
                                              backups of a volume as files or S3 objects; what a backup's Job runs (see docs/storage.md)
        Berth.Operator preflight --values FILE… [--namespace NAMESPACE] [--pull] [--json]
                                              what would keep the chart from working in a cluster, before anything is installed
                                              (docs/deploying.md)

        The cluster is that of KUBECONFIG or ~/.kube/config, or the one whose service account the program runs under.
        Options are in the section Berth:Operator of FILE or in environment variables such as BERTH__OPERATOR__PUBLICORIGIN, which win:
          PublicOrigin      origin of the edge, such as https://berth.example.com (required)
          WorkspaceDomain   workspaces are served one label below it (required)
          PathPrefix        true: workspaces are folders of WorkspaceDomain; needs Routing None
          Namespace         the one to look after; all when absent
          Routing           ForwardAuth, Edge or None
        All options: docs/operator.md.
        """;
}
