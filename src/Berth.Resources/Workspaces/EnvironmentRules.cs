using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;
using Kube.Client.Schema;

namespace Berth.Resources;

/// <summary>An environment variable of a person.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2026", Justification = SchemaMetadata.Why)]
public sealed record WorkspaceVariable
{
    /// <summary>Name; none of those that <see cref="EnvironmentRules"/> refuses.</summary>
    [Description("Name: letters, digits and underscores, no digit first.")]
    [Required]
    [StringLength(EnvironmentRules.MaximumName, MinimumLength = 1)]
    [RegularExpression("^[A-Za-z_][A-Za-z0-9_]*$")]
    [CelRule("!(self in ['PATH', 'HOME', 'PORT', 'HOSTNAME', 'GLIBC_TUNABLES'])", EnvironmentRules.Refusal)]
    [CelRule("!self.startsWith('WORKSPACE_') && !self.startsWith('BERTH_') && !self.startsWith('KUBERNETES_') && !self.startsWith('LD_') "
        + "&& !self.startsWith('DYLD_')", EnvironmentRules.Refusal)]
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Value, as the application finds it: nothing in it is put in place of anything else.</summary>
    [Description("Value, as the application finds it: a dollar sign is a dollar sign. No place for secrets: whoever may read the workspace "
        + "or its pod reads it.")]
    [StringLength(EnvironmentRules.MaximumValue)]
    [RegularExpression(@"^[^\x00]*$")]
    public string? Value { get; init; }
}

/// <summary>Which environment variables a person may set, wherever that is decided: a pure function of name and value.</summary>
/// <remarks>
/// A person rules over their own container, so this keeps nobody from anything: it keeps them from a workspace that does not start, or that
/// does not find the files, the port and the API it was given.
/// </remarks>
public static partial class EnvironmentRules
{
    /// <summary>Most variables; as many as a template may have.</summary>
    public const int MaximumVariables = 64;

    /// <summary>Longest name, in characters; as in a template.</summary>
    public const int MaximumName = 128;

    /// <summary>Longest value, in characters; as in a template.</summary>
    public const int MaximumValue = 4096;

    /// <summary>
    /// All names and values together, in bytes of UTF-8, each with an equals sign and an end. 32 KiB: the variables are in three objects of
    /// etcd, whose requests have at most 1.5 MiB, and a process starts with far more.
    /// </summary>
    public const int MaximumBytes = 32 * 1024;

    internal const string Refusal = "Berth sets it, or no program would start as it should: PATH, HOME, PORT, HOSTNAME, GLIBC_TUNABLES, "
        + "and what begins with WORKSPACE_, BERTH_, KUBERNETES_, LD_ or DYLD_";

    // What Berth and the kubelet set; what programs and files are found by; what is loaded into each process before its first instruction.
    private static readonly string[] Names = ["PATH", "HOME", "PORT", "HOSTNAME", "GLIBC_TUNABLES"];
    private static readonly string[] Beginnings = ["WORKSPACE_", "BERTH_", "KUBERNETES_", "LD_", "DYLD_"];

    /// <summary>What is wrong with a variable, as the end of a sentence about its name; null when nothing is.</summary>
    public static string? Problem(string name, string? value) =>
        !IsName(name) ? $"is no name of a variable: letters, digits and underscores, no digit first, at most {MaximumName}."
        : IsReserved(name) ? $"cannot be set. {Refusal}."
        : value is null || value.Length > MaximumValue || value.Contains('\0', StringComparison.Ordinal)
            ? $"must be a text of at most {MaximumValue} characters without NUL."
        : null;

    /// <summary>Whether a name is kept from people.</summary>
    public static bool IsReserved(string name) =>
        Names.Contains(name, StringComparer.Ordinal) || Beginnings.Any(b => name.StartsWith(b, StringComparison.Ordinal));

    /// <summary>What they take, in bytes, to be compared with <see cref="MaximumBytes"/>.</summary>
    public static int Bytes(IEnumerable<WorkspaceVariable> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        return variables.Sum(v => Encoding.UTF8.GetByteCount(v.Name) + Encoding.UTF8.GetByteCount(v.Value ?? "") + 2);
    }

    private static bool IsName(string name) => name.Length <= MaximumName && VariableName().IsMatch(name);

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableName();
}
