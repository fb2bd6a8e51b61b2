using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>The Service: its name is the workspace's, so that the edge and Traefik find it without asking.</summary>
internal static class ServicePart
{
    internal static Service Make(UserWorkspace workspace) => new()
    {
        Metadata = Children.Owned(workspace),
        Spec = new ServiceSpec
        {
            Type = "ClusterIP",
            Selector = new Dictionary<string, string> { [Labels.Workspace] = workspace.Metadata.Name! },
            Ports = [new ServicePort { Name = Blueprint.PortName, Protocol = "TCP", Port = Blueprint.ServicePort,
                TargetPort = Blueprint.PortName }],
        },
    };
}
