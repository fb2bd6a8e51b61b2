using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>Which container of a pod keeps it from doing its work, and how to speak of it.</summary>
internal static class ContainerBlame
{
    // The one to blame: of those that run before the application the one that did not pass, else one that ended, else one that
    // cannot begin.
    internal static ContainerStatus? Find(PodStatus status)
    {
        var init = status.InitContainerStatuses?.FirstOrDefault(c => c.State is { Terminated.ExitCode: not 0 } || IsStuck(c));
        if (init is not null)
        {
            return init;
        }

        var application = status.ContainerStatuses?.FirstOrDefault(c => c.Name == Blueprint.ContainerName)
            ?? (status.ContainerStatuses is [var first, ..] ? first : null);
        return application?.State?.Terminated is not null || (application is not null && IsStuck(application))
            ? application
            : status.ContainerStatuses?.FirstOrDefault(c => c.State?.Terminated is not null)
                ?? status.ContainerStatuses?.FirstOrDefault(IsStuck)
                ?? application;
    }

    private static bool IsStuck(ContainerStatus container) =>
        container.State?.Waiting?.Reason is { } reason && reason is not ("ContainerCreating" or "PodInitializing");

    // Without a name it is a pod of one container.
    internal static bool IsApplication(string? container) => container is null or Blueprint.ContainerName;

    internal static bool IsBeside(Pod pod, string? container) =>
        !IsApplication(container) && pod.Spec?.Containers.Any(c => c.Name == container) == true;

    internal static bool IsBefore(Pod pod, string? container) => pod.Spec?.InitContainers?.Any(c => c.Name == container) == true;

    internal static string Subject(Pod pod, string? container) =>
        IsApplication(container) || Spec(pod, container) is null
            ? "The application"
            : IsBefore(pod, container)
                ? $"Container '{container}', which runs before the application,"
                : $"Container '{container}', which runs beside the application,";

    internal static string Lower(string subject) => char.ToLowerInvariant(subject[0]) + subject[1..];

    // What runs first mostly works with what a person chose: the address of a repository.
    internal static string Hint(Pod pod, string? container) =>
        IsBefore(pod, container) ? $" (container {container}); check spec.parameters too" : "";

    private static Container? Spec(Pod pod, string? container) =>
        (pod.Spec?.InitContainers ?? []).Concat(pod.Spec?.Containers ?? []).FirstOrDefault(c => c.Name == container);

    private static Container? SpecOrFirst(Pod pod, string? container) =>
        Spec(pod, container) ?? (pod.Spec?.Containers is [var first, ..] ? first : null);

    internal static string Image(Pod pod, string? container) => SpecOrFirst(pod, container)?.Image ?? "";

    internal static string Limit(Pod pod, string? container) =>
        SpecOrFirst(pod, container)?.Resources?.Limits?.GetValueOrDefault("memory") is { } limit ? $" ({limit})" : "";
}
