using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator;

/// <summary>A template with a workspace's parameters and wishes put in.</summary>
internal sealed record ResolvedTemplate
{
    /// <summary>What is wrong; nothing else counts when there is something.</summary>
    public ImmutableArray<BlueprintProblem> Problems { get; init; } = [];

    public int Port { get; init; }

    public string MountPath { get; init; } = "";

    public string Storage { get; init; } = "";

    public string? StorageClassName { get; init; }

    public ResourceRequirements? Resources { get; init; }

    /// <summary>Variables of parameters, then of the template.</summary>
    public ImmutableArray<TemplateVariable> Variables { get; init; } = [];
}

/// <summary>Puts a workspace's parameters and wishes into its template, and says all that is wrong with either at once.</summary>
internal static partial class TemplateResolution
{
    private const int MaxValueLength = 256;

    // A pattern is the template author's; it runs in linear time, and still not for long.
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(250);

    internal static ResolvedTemplate Resolve(UserWorkspace workspace, WorkspaceTemplate template)
    {
        var problems = ImmutableArray.CreateBuilder<BlueprintProblem>();
        var variables = ImmutableArray.CreateBuilder<TemplateVariable>();
        CheckTemplate(template, problems);
        ResolveParameters(workspace, template, variables, problems);
        variables.AddRange(template.Spec.Env ?? []);
        CheckVariables(template, variables, problems);
        var resources = ResolveResources(workspace, template, problems);
        var storage = ResolveStorage(workspace, template, problems);

        return new ResolvedTemplate
        {
            Problems = problems.ToImmutable(),
            Port = template.Spec.Port ?? WorkspaceTemplateSpec.DefaultPort,
            MountPath = template.Spec.Storage?.MountPath ?? TemplateStorage.DefaultMountPath,
            Storage = storage,
            StorageClassName = template.Spec.Storage?.StorageClassName,
            Resources = resources,
            Variables = variables.ToImmutable(),
        };
    }

    private static void CheckTemplate(WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var mount = template.Spec.Storage?.MountPath;
        if (string.IsNullOrWhiteSpace(template.Spec.Image))
        {
            problems.Add(InvalidTemplate(template, "names no image; set spec.image"));
        }

        foreach (var parameter in template.Spec.Parameters ?? [])
        {
            if (parameter.Pattern is { } pattern && !IsPattern(pattern))
            {
                problems.Add(InvalidTemplate(template,
                    $"has the pattern '{Shorten(pattern)}' for parameter '{parameter.Name}', which is no regular expression "
                        + "(look-around and back references are not allowed)"));
            }
        }

        if (mount is not null && (mount == "/" || mount == "/tmp" || !mount.StartsWith('/') || mount.Split('/').Contains("..")
            || mount.Contains(':', StringComparison.Ordinal)))
        {
            problems.Add(InvalidTemplate(template,
                $"mounts the volume at '{mount}'; use an absolute path of its own, such as {TemplateStorage.DefaultMountPath}"));
        }
    }

    private static void ResolveParameters(
        UserWorkspace workspace,
        WorkspaceTemplate template,
        ImmutableArray<TemplateVariable>.Builder variables,
        ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var declared = template.Spec.Parameters ?? [];
        var given = workspace.Spec.Parameters ?? ImmutableDictionary<string, string>.Empty;
        foreach (var name in given.Keys.Where(k => declared.All(p => p.Name != k)).Order(StringComparer.Ordinal))
        {
            var known = declared.Count == 0 ? "it has none" : $"it has {string.Join(", ", declared.Select(p => p.Name))}";
            problems.Add(InvalidParameter($"Template '{template.Metadata.Name}' has no parameter '{Shorten(name)}': {known}. Remove "
                + "it from spec.parameters."));
        }

        foreach (var parameter in declared)
        {
            var value = given.GetValueOrDefault(parameter.Name) ?? parameter.Default;
            if (value is null)
            {
                if (parameter.Required == true)
                {
                    problems.Add(InvalidParameter($"Parameter '{parameter.Name}' is required. Set spec.parameters.{parameter.Name}."));
                }

                continue;
            }

            if (Check(parameter, value) is { } expected)
            {
                problems.Add(given.ContainsKey(parameter.Name)
                    ? InvalidParameter($"Parameter '{parameter.Name}' must be {expected}, but is '{Shorten(value)}'. Change "
                        + $"spec.parameters.{parameter.Name}.")
                    : InvalidTemplate(template,
                        $"gives parameter '{parameter.Name}' the default '{Shorten(value)}', which must be {expected}"));
                continue;
            }

            if (parameter.Env is { } variable)
            {
                variables.Add(new TemplateVariable { Name = variable, Value = value });
            }
        }
    }

    /// <summary>What a value should have been; null when it is right.</summary>
    private static string? Check(TemplateParameter parameter, string value)
    {
        if (value.Length > MaxValueLength || value.Contains('\0', StringComparison.Ordinal))
        {
            return $"at most {MaxValueLength} characters without NUL";
        }

        switch (parameter.Type)
        {
            case ParameterTypes.Number:
                var ranged = (parameter.Minimum, parameter.Maximum) switch
                {
                    (null, null) => "a whole number",
                    ({ } min, null) => $"a whole number, at least {min}",
                    (null, { } max) => $"a whole number, at most {max}",
                    ({ } min, { } max) => $"a whole number from {min} to {max}",
                };
                return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    && number >= (parameter.Minimum ?? long.MinValue) && number <= (parameter.Maximum ?? long.MaxValue) ? null : ranged;
            case ParameterTypes.Flag:
                return value is "true" or "false" ? null : "true or false";
            case ParameterTypes.Choice:
                return parameter.Values?.Contains(value) == true ? null : $"one of {string.Join(", ", parameter.Values ?? [])}";
            case ParameterTypes.Text:
                return parameter.Pattern is null || Matches(parameter.Pattern, value) ? null : $"a text that matches {parameter.Pattern}";
            default:
                return $"of a type this version knows, not '{parameter.Type}'";
        }
    }

    private static bool Matches(string pattern, string value)
    {
        try
        {
            return Regex.IsMatch(value, $@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant,
                PatternTimeout);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            // Told as the template's problem; the value is not to blame.
            return true;
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static bool IsPattern(string pattern)
    {
        try
        {
            _ = new Regex($@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, PatternTimeout);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static void CheckVariables(
        WorkspaceTemplate template, ImmutableArray<TemplateVariable>.Builder variables, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var variable in variables)
        {
            if (!VariableName().IsMatch(variable.Name))
            {
                problems.Add(InvalidTemplate(template, $"sets '{Shorten(variable.Name)}', which is no name of an environment variable"));
            }
            else if (variable.Name == "PORT" || variable.Name.StartsWith("WORKSPACE_", StringComparison.Ordinal))
            {
                problems.Add(InvalidTemplate(template, $"sets {variable.Name}, which Berth sets itself; take another name"));
            }
            else if (!seen.Add(variable.Name))
            {
                problems.Add(InvalidTemplate(template, $"sets {variable.Name} twice"));
            }
        }
    }

    private static ResourceRequirements? ResolveResources(
        UserWorkspace workspace, WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var wish = workspace.Spec.Resources;
        var resources = template.Spec.Resources;
        var limits = new Dictionary<string, string>(StringComparer.Ordinal);
        var requests = new Dictionary<string, string>(StringComparer.Ordinal);
        Add("cpu", wish?.Cpu, resources?.Limits?.Cpu, resources?.Requests?.Cpu, resources?.Ceiling?.Cpu);
        Add("memory", wish?.Memory, resources?.Limits?.Memory, resources?.Requests?.Memory, resources?.Ceiling?.Memory);
        return limits.Count + requests.Count == 0
            ? null
            : new ResourceRequirements { Limits = limits.Count == 0 ? null : limits, Requests = requests.Count == 0 ? null : requests };

        void Add(string resource, string? wished, string? limit, string? request, string? ceiling)
        {
            CheckTemplateQuantity(template, $"limits.{resource}", limit, problems);
            CheckTemplateQuantity(template, $"requests.{resource}", request, problems);
            if (!CheckWish(template, resource, wished, ceiling, problems))
            {
                return;
            }

            var most = wished ?? limit;
            if (most is not null)
            {
                limits[resource] = most;
            }

            // A request above the limit would be refused by the API: a person who wishes for less also reserves less.
            if (request is not null)
            {
                requests[resource] = Quantity.TryParse(most, out var m) && Quantity.TryParse(request, out var r) && r > m ? most : request;
            }
        }
    }

    private static string ResolveStorage(UserWorkspace workspace, WorkspaceTemplate template,
        ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var size = template.Spec.Storage?.Size ?? TemplateStorage.DefaultSize;
        CheckTemplateQuantity(template, "storage.size", size, problems);
        var wished = workspace.Spec.Resources?.Storage;
        return CheckWish(template, "storage", wished, template.Spec.Resources?.Ceiling?.Storage, problems) ? wished ?? size : size;
    }

    private static bool CheckWish(
        WorkspaceTemplate template, string resource, string? wished, string? ceiling, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        if (ceiling is not null)
        {
            CheckTemplateQuantity(template, $"ceiling.{resource}", ceiling, problems);
        }

        if (wished is null)
        {
            return true;
        }

        if (!Quantity.TryParse(wished, out var quantity) || quantity.Sign <= 0)
        {
            problems.Add(new(FailureClasses.User, Reasons.InvalidResources,
                $"spec.resources.{resource} is '{Shorten(wished)}'; use a quantity greater than zero, such as "
                    + $"{(resource == "cpu" ? "500m or 2" : "512Mi or 4Gi")}."));
            return false;
        }

        if (Quantity.TryParse(ceiling, out var most) && quantity > most)
        {
            problems.Add(new(FailureClasses.User, Reasons.InvalidResources,
                $"spec.resources.{resource} is {wished}, but template '{template.Metadata.Name}' allows at most {ceiling}. Wish for "
                    + $"{ceiling} or less."));
            return false;
        }

        return true;
    }

    private static void CheckTemplateQuantity(WorkspaceTemplate template, string field, string? text,
        ImmutableArray<BlueprintProblem>.Builder problems)
    {
        if (text is not null && (!Quantity.TryParse(text, out var quantity) || quantity.Sign <= 0))
        {
            problems.Add(InvalidTemplate(template, $"has '{Shorten(text)}' as {field}; use a quantity greater than zero"));
        }
    }

    private static BlueprintProblem InvalidTemplate(WorkspaceTemplate template, string what) =>
        new(FailureClasses.Template, Reasons.InvalidTemplate,
            $"Template '{template.Metadata.Name}' {what}. Ask whoever keeps the template to mend it.");

    private static BlueprintProblem InvalidParameter(string message) => new(FailureClasses.User, Reasons.InvalidParameter, message);

    private static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "…");

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableName();
}
