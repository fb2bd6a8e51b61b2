using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// Values of a template's parameters: checked by type, and told apart from what is interpreted. A value is data: in a variable its
/// dollar signs are escaped, so that a node puts nothing in their place, and in a file it stands as it is.
/// </summary>
internal sealed record ParameterResolution
{
    private const int MaxValueLength = 256;

    // A pattern is the template author's; it runs in linear time, and still not for long.
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(250);

    public ImmutableArray<TemplateVariable> Variables { get; private init; } = [];

    public ImmutableSortedDictionary<string, string>? Files { get; private init; }

    public ImmutableArray<string> LeftOut { get; private init; } = [];

    /// <summary>Checks the values and lists all that is wrong.</summary>
    /// <param name="workspace">Who gives the values.</param>
    /// <param name="template">What they are for.</param>
    /// <param name="redirected">
    /// The template took the place of the one that the person chose: values that it has no parameter for are left out and told, not
    /// refused.
    /// </param>
    /// <param name="problems">Where to say what is wrong.</param>
    internal static ParameterResolution Resolve(
        UserWorkspace workspace, WorkspaceTemplate template, bool redirected, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var declared = template.Spec.Parameters ?? [];
        var given = workspace.Spec.Parameters ?? ImmutableDictionary<string, string>.Empty;
        var unknown = given.Keys.Where(k => declared.All(p => p.Name != k)).Order(StringComparer.Ordinal).ToImmutableArray();
        if (!redirected)
        {
            foreach (var name in unknown)
            {
                var known = declared.Count == 0 ? "it has none" : $"it has {string.Join(", ", declared.Select(p => p.Name))}";
                problems.Add(TemplateProblems.Parameter(
                    $"Template '{template.Metadata.Name}' has no parameter '{TemplateProblems.Shorten(name)}': {known}. Remove it from "
                        + "spec.parameters."));
            }
        }

        var variables = ImmutableArray.CreateBuilder<TemplateVariable>();
        var files = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var parameter in declared)
        {
            if (Value(parameter, given, template, problems) is not { } value)
            {
                continue;
            }

            if (parameter.Env is { } variable)
            {
                variables.Add(new TemplateVariable { Name = variable, Value = Literal(value) });
            }

            if (parameter.File is { } file)
            {
                files[file] = value;
            }
        }

        return new ParameterResolution
        {
            Variables = variables.ToImmutable(),
            Files = declared.Any(p => p.File is not null) ? files.ToImmutable() : null,
            LeftOut = redirected ? unknown : [],
        };
    }

    /// <summary>What is wrong with the parameters of a template, whatever the values are.</summary>
    internal static void Check(WorkspaceTemplate template, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        foreach (var parameter in template.Spec.Parameters ?? [])
        {
            if (parameter.Pattern is { } pattern && !IsPattern(pattern))
            {
                problems.Add(TemplateProblems.Template(template,
                    $"has the pattern '{TemplateProblems.Shorten(pattern)}' for parameter '{parameter.Name}', which is no regular "
                        + $"expression "
                        + "(look-around and back references are not allowed)"));
            }

            if (parameter.File is { } file && !files.Add(file))
            {
                problems.Add(TemplateProblems.Template(template, $"gives the file '{TemplateProblems.Shorten(file)}' to two parameters"));
            }
        }
    }

    /// <summary>A text that a node leaves as it is when it puts variables into it.</summary>
    internal static string Literal(string value) => value.Replace("$", "$$", StringComparison.Ordinal);

    private static string? Value(
        TemplateParameter parameter,
        IReadOnlyDictionary<string, string> given,
        WorkspaceTemplate template,
        ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var value = given.GetValueOrDefault(parameter.Name) ?? parameter.Default;
        if (value is null)
        {
            if (parameter.Required == true)
            {
                problems.Add(TemplateProblems.Parameter(
                    $"Parameter '{parameter.Name}' is required. Set spec.parameters.{parameter.Name}."));
            }

            return null;
        }

        if (Expected(parameter, value) is not { } expected)
        {
            return value;
        }

        problems.Add(given.ContainsKey(parameter.Name)
            ? TemplateProblems.Parameter($"Parameter '{parameter.Name}' must be {expected}, but is '{TemplateProblems.Shorten(value)}'. "
                + $"Change spec.parameters.{parameter.Name}.")
            : TemplateProblems.Template(template,
                $"gives parameter '{parameter.Name}' the default '{TemplateProblems.Shorten(value)}', which must be {expected}"));
        return null;
    }

    /// <summary>What a value should have been; null when it is right.</summary>
    private static string? Expected(TemplateParameter parameter, string value)
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
}
