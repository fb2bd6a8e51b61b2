using Kube.Server.Runner.Processes;

namespace Kube.Server.Runner.Launch;

/// <summary>Makes the command line, environment and working directory of a container's process, as in Kubernetes.</summary>
/// <remarks>
/// Mount paths are rewritten in what the pod says, and before variables are put in: what the catalogue says are paths of this machine, and
/// a machine's path may look like a mount path (Berth itself may lie under /workspace).
/// </remarks>
internal static class ContainerCommand
{
    public static ProcessSpec Build(ContainerContext context, Dictionary<string, string> environment, MountTable mounts)
    {
        var container = context.Container;
        var ownCommand = container.Command.Length > 0;
        IEnumerable<string> command = ownCommand ? container.Command.Select(mounts.RewriteArgument) : context.Image.Command;
        IEnumerable<string> arguments = container.Args.Length > 0 ? container.Args.Select(mounts.RewriteArgument)
            : ownCommand ? [] : context.Image.Args;
        return new ProcessSpec
        {
            Command = [.. command.Concat(arguments).Select(a => Expansion.Expand(a, n => environment.GetValueOrDefault(n)))],
            Environment = environment,
            WorkingDirectory = container.WorkingDirectory is { } folder ? mounts.Rewrite(folder)
                : context.Image.WorkingDirectory ?? context.Home,
        };
    }
}
