using System.Globalization;
using System.Text.RegularExpressions;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// Says in plain words why no node takes a pod: the scheduler's own sentence counts nodes by the rule that they break, in words that
/// differ from version to version. What is not known here is shown as it is. Pure.
/// </summary>
internal static partial class SchedulingWords
{
    private const int MaxParts = 8;
    private const string Resource = "resource";

    // Rules that a template makes for itself; when they alone are why, waiting does not help.
    private static readonly string[] OfTheTemplate = ["didn't match Pod's node affinity", "didn't match node selector", "taint"];

    // Taints that the cluster itself puts on nodes that are not fit.
    private const string OfTheCluster = "node.kubernetes.io/";

    private static readonly (string Contains, string Words)[] Known =
    [
        ("didn't match Pod's node affinity/selector", "do not have the labels that the template asks for"),
        ("didn't match node selector", "do not have the labels that the template asks for"),
        ("didn't match pod affinity", "break a rule of affinity"),
        ("didn't match pod anti-affinity", "break a rule of affinity"),
        ("had volume node affinity conflict", "cannot reach the volume: it is in another zone, or on another node"),
        ("had no available volume zone", "are in another zone than the volume"),
        ("didn't find available persistent volumes to bind", "have no volume to offer"),
        ("exceed max volume count", "hold as many volumes as they can"),
        ("were unschedulable", "are closed for new pods"),
        ("Too many pods", "run as many pods as they can"),
        ("didn't have free ports", "have no free port"),
    ];

    internal static PodFailure Unschedulable(string? message)
    {
        if (message?.Contains("unbound immediate PersistentVolumeClaims", StringComparison.Ordinal) == true)
        {
            return Waits(FailureClasses.Platform, "The volume of the workspace is not made yet. It starts as soon as it is; if that "
                + "takes longer than "
                + "some minutes, an administrator should look at the storage class and its provisioner.");
        }

        if (message is null || Head().Match(message) is not { Success: true } head)
        {
            return Waits(FailureClasses.Platform, $"No node can take the workspace now{FailureText.Because(message)}. It starts as soon "
                + "as one can; an "
                + "administrator may add nodes, or wish for less CPU or memory.");
        }

        var parts = Parts(message[head.Length..]).ToArray();
        var nodes = head.Groups["all"].Value;
        var words = string.Join("; ", parts.Take(MaxParts).Select(Say));
        var ofTemplate = parts.Length > 0 && parts.All(p => OfTheTemplate.Any(w => p.Rule.Contains(w, StringComparison.OrdinalIgnoreCase))
            && !p.Rule.Contains(OfTheCluster, StringComparison.Ordinal));
        return ofTemplate
            ? Waits(FailureClasses.Template, $"No node can take the workspace: of {nodes}, {words}. It starts as soon as one can; "
                + "whoever keeps the "
                + "template should check its spec.scheduling.")
            : Waits(FailureClasses.Platform, $"No node can take the workspace now: of {nodes}, {words}. It starts as soon as one can; "
                + "an administrator "
                + "may add nodes, or you wish for less.");
    }

    private static PodFailure Waits(string @class, string message) => new(@class, Reasons.Unschedulable, message, FailureEffect.Wait);

    /// <summary>Number of nodes and the rule they break; a rule may itself hold commas, in braces.</summary>
    private static IEnumerable<(string Nodes, string Rule)> Parts(string text)
    {
        // What follows the first sentence says why nobody else could be ended for it, which nobody asked for.
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        foreach (Match match in Part().Matches((end < 0 ? text : text[..end]).Trim().TrimEnd('.')))
        {
            yield return (match.Groups["nodes"].Value, match.Groups["rule"].Value.Trim());
        }
    }

    private static string Say((string Nodes, string Rule) part)
    {
        if (Insufficient().Match(part.Rule) is { Success: true } insufficient)
        {
            return $"{part.Nodes} {Have(part.Nodes)} too little {Named(insufficient.Groups[Resource].Value)} free";
        }

        if (Taint().Match(part.Rule) is { Success: true } taint)
        {
            var text = taint.Groups["taint"].Value.Trim(' ', ':');
            return text.StartsWith(OfTheCluster, StringComparison.Ordinal)
                ? $"{part.Nodes} {Be(part.Nodes)} not fit now ({Cut(text[OfTheCluster.Length..])})"
                : $"{part.Nodes} {Be(part.Nodes)} reserved (taint {Cut(text)})";
        }

        var known = Known.FirstOrDefault(k => part.Rule.Contains(k.Contains, StringComparison.OrdinalIgnoreCase));
        return $"{part.Nodes} {known.Words ?? Cut(part.Rule)}";
    }

    private static string Have(string nodes) => nodes == "1" ? "has" : "have";

    private static string Be(string nodes) => nodes == "1" ? "is" : "are";

    private static string Named(string resource) => resource switch
    {
        "cpu" => "CPU",
        "ephemeral-storage" => "temporary disk",
        _ when resource.Contains("gpu", StringComparison.OrdinalIgnoreCase) =>
            string.Create(CultureInfo.InvariantCulture, $"GPUs ({Cut(resource)})"),
        _ => Cut(resource),
    };

    private static string Cut(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 120 ? line : string.Concat(line.AsSpan(0, 120), "…");
    }

    [GeneratedRegex(@"^\d+/(?<all>\d+) nodes are available:", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Head();

    [GeneratedRegex(
        @"(?<nodes>\d+) (?<rule>(\{[^}]*\}|[^,{])+(, that the pod didn't tolerate)?)",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Part();

    [GeneratedRegex(@"^Insufficient (?<resource>\S+)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Insufficient();

    [GeneratedRegex(@"taint\(?s?\)? ?\{(?<taint>[^}]*)\}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Taint();
}
