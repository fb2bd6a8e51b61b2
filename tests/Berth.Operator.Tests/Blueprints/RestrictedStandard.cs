using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// The "restricted" Pod Security Standard, control by control as its page lists them, over every container of a pod. What the
/// models of the client do not have (hostPID, procMount, AppArmor, sysctls) cannot be set by it.
/// </summary>
internal static class RestrictedStandard
{
    /// <summary>What a pod violates, in words; empty when it meets the standard.</summary>
    internal static List<string> Violations(Pod pod)
    {
        var spec = pod.Spec!;
        List<string> found = [];
        if (spec.HostNetwork == true)
        {
            found.Add("hostNetwork");
        }

        foreach (var volume in spec.Volumes ?? [])
        {
            if (volume.HostPath is not null)
            {
                found.Add($"volume {volume.Name} is of the host");
            }

            var kinds = new object?[]
            {
                volume.ConfigMap, volume.DownwardAPI, volume.EmptyDir, volume.PersistentVolumeClaim, volume.Projected, volume.Secret,
            };
            if (kinds.Count(k => k is not null) != 1)
            {
                found.Add($"volume {volume.Name} is of no allowed type");
            }
        }

        var whole = spec.SecurityContext;
        foreach (var container in (spec.InitContainers ?? []).Concat(spec.Containers))
        {
            var own = container.SecurityContext;
            Check(container, "privileged", own?.Privileged is null or false);
            Check(container, "allowPrivilegeEscalation is not false", own?.AllowPrivilegeEscalation == false);
            Check(container, "does not drop all capabilities", own?.Capabilities?.Drop?.Contains("ALL") == true);
            Check(container, "adds capabilities", (own?.Capabilities?.Add ?? []).All(c => c == "NET_BIND_SERVICE"));
            Check(container, "runAsNonRoot is not true", (own?.RunAsNonRoot ?? whole?.RunAsNonRoot) == true);
            Check(container, "runs as root", (own?.RunAsUser ?? whole?.RunAsUser) is null or not 0);
            Check(container, "has no seccomp profile",
                (own?.SeccompProfile ?? whole?.SeccompProfile)?.Type is "RuntimeDefault" or "Localhost");
            Check(container, "has a port of the host", (container.Ports ?? []).All(p => p.HostPort is null or 0));
        }

        return found;

        void Check(Container container, string violation, bool holds)
        {
            if (!holds)
            {
                found.Add($"container {container.Name}: {violation}");
            }
        }
    }
}
