using Kube.Server.Controllers.GarbageCollection;
using Kube.Server.Runner;

namespace Kube.Server.Controllers;

/// <summary>What a cluster's controller manager and scheduler do, as far as an embedded API needs it.</summary>
internal static class BuiltInControllers
{
    /// <summary>All that the options ask for, in the order of their start, and where logs of pods come from.</summary>
    public static (IReadOnlyList<IHostedController> Controllers, IPodLogSource? PodLogs) Compose(KubeServerOptions options)
    {
        var controllers = new List<IHostedController>();
        if (options.BuiltInControllers)
        {
            controllers.AddRange([new GarbageCollector(), new NamespaceController(), new EndpointsController(), new EventTtl(),
                new JobController()]);
        }

        var logs = options.PodLogs;
        if (options.Runner is { } settings)
        {
            var runner = new PodRunner(settings);
            controllers.AddRange([new VolumeBinder(settings.DataDirectory), new Scheduler(), runner]);
            logs ??= runner;
        }

        controllers.AddRange(options.Controllers);
        return (controllers, logs);
    }
}
