namespace Berth.Installed.Tests;

/// <summary>
/// Kubernetes' provisioner of host paths, which clusters for trying things out have, makes folders for root alone, and the kubelet applies
/// fsGroup to no host path. Where it is the default one, a pod opens new folders for everybody, as drivers that honour fsGroup would for a
/// group.
/// </summary>
internal static class HostPathVolumes
{
    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: { name: berth-test-volumes, namespace: kube-system }
        spec:
          automountServiceAccountToken: false
          terminationGracePeriodSeconds: 1
          securityContext: { runAsUser: 0 }
          containers:
            - name: volumes
              image: berth-studio:dev
              command: [/bin/sh, -c, "while sleep 0.3; do chmod 0777 /volumes/*; done"]
              volumeMounts: [{ name: volumes, mountPath: /volumes }]
          volumes: [{ name: volumes, hostPath: { path: /tmp/hostpath_pv, type: DirectoryOrCreate } }]
        """;

    public static async Task OpenAsync()
    {
        var provisioners = await Shell.KubectlAsync("get", "storageclass", "-o", "jsonpath={.items[*].provisioner}");
        if (provisioners.Contains("kubernetes.io/host-path", StringComparison.Ordinal))
        {
            (await Shell.TryKubectlAsync(Pod, "apply", "-f", "-")).Good("a pod that opens volumes");
            await Shell.KubectlAsync("-n", "kube-system", "wait", "--for=condition=Ready", "pod/berth-test-volumes", "--timeout=60s");
        }
    }

    public static Task CloseAsync() =>
        Shell.TryKubectlAsync(null, "-n", "kube-system", "delete", "pod", "berth-test-volumes", "--ignore-not-found");
}
