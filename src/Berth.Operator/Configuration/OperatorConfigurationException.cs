namespace Berth.Operator;

/// <summary>The configuration cannot be used; the message names every problem and what to do.</summary>
public sealed class OperatorConfigurationException(IReadOnlyList<string> problems)
    : Exception("The configuration cannot be used:" + string.Concat(problems.Select(p => $"{Environment.NewLine}  - {p}")))
{
    /// <summary>The problems, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
