using Kube.Server.Runner.Processes;

namespace Kube.Server.Runner.Launch;

/// <summary>Makes the command line, environment and working directory of a container's process, as in Kubernetes.</summary>
internal static class ContainerCommand
{
    public static ProcessSpec Build(ContainerContext context, Dictionary<string, string> environment, MountTable mounts)
    {
        var container = context.Container;
        var command = container.Command.Length > 0 ? container.Command : context.Image.Command;
        var arguments = container.Args.Length > 0 ? container.Args : container.Command.Length > 0 ? [] : context.Image.Args;
        return new ProcessSpec
        {
            Command = [.. command.Concat(arguments).Select(a => mounts.RewriteArgument(Expansion.Expand(a, n =>
                environment.GetValueOrDefault(n))))],
            Environment = environment.ToDictionary(e => e.Key, e => mounts.Rewrite(e.Value)),
            WorkingDirectory = (container.WorkingDirectory ?? context.Image.WorkingDirectory) is { } folder
                ? mounts.Rewrite(folder) : context.Home,
        };
    }
}
