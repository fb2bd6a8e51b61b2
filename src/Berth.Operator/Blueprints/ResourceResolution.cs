using System.Collections.Immutable;
using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>CPU, memory, GPUs and storage of a workspace: the template's, or what it wishes for within the ceiling.</summary>
internal static class ResourceResolution
{
    internal static ResourceRequirements? Compute(
        UserWorkspace workspace, WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var wish = workspace.Spec.Resources;
        var resources = template.Spec.Resources;
        var limits = new Dictionary<string, string>(StringComparer.Ordinal);
        var requests = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("cpu", wish?.Cpu, resources?.Limits?.Cpu, resources?.Requests?.Cpu, resources?.Ceiling?.Cpu);
        Add("memory", wish?.Memory, resources?.Limits?.Memory, resources?.Requests?.Memory, resources?.Ceiling?.Memory);
        if (Gpus(workspace, template, problems) is var gpus and > 0)
        {
            // Nodes hand out devices whole: limit and request are the same.
            var name = resources!.Gpu!.ResourceName ?? TemplateGpu.DefaultResourceName;
            limits[name] = requests[name] = gpus.ToString(CultureInfo.InvariantCulture);
        }

        return Requirements(limits, requests);

        void Add(string resource, string? wished, string? limit, string? request, string? ceiling)
        {
            CheckQuantity(template, $"limits.{resource}", limit, problems);
            CheckQuantity(template, $"requests.{resource}", request, problems);
            if (!CheckWish(template, resource, wished, ceiling, problems))
            {
                return;
            }

            Put(limits, requests, resource, wished ?? limit, request);
        }
    }

    /// <summary>CPU and memory of a further container; there is nothing to wish for.</summary>
    internal static ResourceRequirements? Of(TemplateContainerResources? resources)
    {
        var limits = new Dictionary<string, string>(StringComparer.Ordinal);
        var requests = new Dictionary<string, string>(StringComparer.Ordinal);
        Put(limits, requests, "cpu", resources?.Limits?.Cpu, resources?.Requests?.Cpu);
        Put(limits, requests, "memory", resources?.Limits?.Memory, resources?.Requests?.Memory);
        return Requirements(limits, requests);
    }

    internal static string Storage(UserWorkspace workspace, WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var size = template.Spec.Storage?.Size ?? TemplateStorage.DefaultSize;
        CheckQuantity(template, "storage.size", size, problems);
        var wished = workspace.Spec.Resources?.Storage;
        return CheckWish(template, "storage", wished, template.Spec.Resources?.Ceiling?.Storage, problems) ? wished ?? size : size;
    }

    internal static void CheckQuantity(
        WorkspaceTemplate template, string field, string? text, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        if (text is not null && (!Quantity.TryParse(text, out var quantity) || quantity.Sign <= 0))
        {
            problems.Add(TemplateProblems.Template(template,
                $"has '{TemplateProblems.Shorten(text)}' as {field}; use a quantity greater than zero"));
        }
    }

    private static int Gpus(UserWorkspace workspace, WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var gpu = template.Spec.Resources?.Gpu;
        var count = gpu?.Count ?? 0;

        // Two places may bound it; without either, nobody may wish for more than everybody gets.
        var most = Math.Min(gpu?.Ceiling ?? int.MaxValue, template.Spec.Resources?.Ceiling?.Gpu ?? int.MaxValue);
        most = gpu is null ? 0 : most == int.MaxValue ? count : most;
        if (count > most)
        {
            problems.Add(TemplateProblems.Template(template, $"gives {count} GPUs and allows at most {most}"));
            return 0;
        }

        if (workspace.Spec.Resources?.Gpu is not { } wished)
        {
            return count;
        }

        if (wished >= 0 && wished <= most)
        {
            return wished;
        }

        problems.Add(TemplateProblems.Resources(most == 0
            ? $"spec.resources.gpu is {wished}, but template '{template.Metadata.Name}' has no GPUs. Remove it, or choose a template "
                + $"with GPUs."
            : $"spec.resources.gpu is {wished}, but template '{template.Metadata.Name}' allows at most {most}. Wish for {most} or less."));
        return 0;
    }

    private static bool CheckWish(
        WorkspaceTemplate template, string resource, string? wished, string? ceiling, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        CheckQuantity(template, $"ceiling.{resource}", ceiling, problems);
        if (wished is null)
        {
            return true;
        }

        if (!Quantity.TryParse(wished, out var quantity) || quantity.Sign <= 0)
        {
            problems.Add(TemplateProblems.Resources(
                $"spec.resources.{resource} is '{TemplateProblems.Shorten(wished)}'; use a quantity greater than zero, such as "
                    + $"{(resource == "cpu" ? "500m or 2" : "512Mi or 4Gi")}."));
            return false;
        }

        if (Quantity.TryParse(ceiling, out var most) && quantity > most)
        {
            problems.Add(TemplateProblems.Resources(
                $"spec.resources.{resource} is {wished}, but template '{template.Metadata.Name}' allows at most {ceiling}. Wish for "
                    + $"{ceiling} or less."));
            return false;
        }

        return true;
    }

    // A request above the limit would be refused by the API: a person who wishes for less also reserves less.
    private static void Put(
        Dictionary<string, string> limits, Dictionary<string, string> requests, string resource, string? limit, string? request)
    {
        if (limit is not null)
        {
            limits[resource] = limit;
        }

        if (request is not null)
        {
            requests[resource] = Quantity.TryParse(limit, out var m) && Quantity.TryParse(request, out var r) && r > m ? limit! : request;
        }
    }

    private static ResourceRequirements? Requirements(Dictionary<string, string> limits, Dictionary<string, string> requests) =>
        limits.Count + requests.Count == 0
            ? null
            : new ResourceRequirements { Limits = limits.Count == 0 ? null : limits, Requests = requests.Count == 0 ? null : requests };
}
