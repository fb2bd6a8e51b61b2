using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// Checks values for a template's parameters, so that a mistake is told where it was made rather than by a workspace that does not start.
/// </summary>
/// <remarks>The operator decides in the end; a template may have changed meanwhile.</remarks>
internal static class TemplateParameters
{
    /// <summary>Adds a message for each value that the template does not take, under <c>parameters.name</c>.</summary>
    public static void Check(WorkspaceTemplateSpec template, IReadOnlyDictionary<string, string> values,
        ImmutableDictionary<string, string>.Builder problems)
    {
        var known = (template.Parameters ?? []).ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            var problem = known.TryGetValue(name, out var parameter)
                ? Problem(parameter, value)
                : known.Count == 0 ? "the template has no parameters."
                    : $"the template has no such parameter; it has {string.Join(", ", known.Keys)}.";
            if (problem is not null)
            {
                problems[$"parameters.{Shorten(name)}"] = problem;
            }
        }

        foreach (var parameter in known.Values.Where(p => p.Required == true && p.Default is null && !values.ContainsKey(p.Name)))
        {
            problems[$"parameters.{parameter.Name}"] = "is required.";
        }
    }

    private static string? Problem(TemplateParameter parameter, string value)
    {
        if (value.Length > 256)
        {
            return $"has {value.Length} characters; at most 256 are allowed.";
        }

        return parameter.Type switch
        {
            ParameterTypes.Number => NumberProblem(parameter, value),
            ParameterTypes.Flag => value is "true" or "false" ? null : "must be true or false.",
            ParameterTypes.Choice => (parameter.Values ?? []).Contains(value, StringComparer.Ordinal)
                ? null
                : $"must be one of {string.Join(", ", parameter.Values ?? [])}.",
            _ => parameter.Pattern is { } pattern && !Matches(pattern, value) ? $"must match {pattern}" : null,
        };
    }

    private static string? NumberProblem(TemplateParameter parameter, string value)
    {
        if (!long.TryParse(value, System.Globalization.NumberStyles.AllowLeadingSign, null, out var number))
        {
            return "must be a whole number.";
        }

        return (parameter.Minimum is { } minimum && number < minimum) || (parameter.Maximum is { } maximum && number > maximum)
            ? $"must be {Range(parameter)}."
            : null;
    }

    private static string Range(TemplateParameter parameter) => (parameter.Minimum, parameter.Maximum) switch
    {
        ({ } low, { } high) => $"from {low} to {high}",
        ({ } low, null) => $"at least {low}",
        _ => $"at most {parameter.Maximum}",
    };

    // Linear time whatever the pattern; one that this engine cannot run is left to the operator.
    private static bool Matches(string pattern, string value)
    {
        try
        {
            return Regex.IsMatch(value, $@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            return true;
        }
    }

    private static string Shorten(string name) => name.Length <= 63 ? name : name[..63] + "…";
}
