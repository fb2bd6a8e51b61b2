namespace Berth.Operator;

/// <summary>What others wrote, put into our sentences.</summary>
internal static class FailureText
{
    private const int MaxDetail = 300;

    // Details come from kubelets, registries and programs: they are shown, but cut, on one line, and without a full stop of their own.
    internal static string Because(string? detail)
    {
        if (string.IsNullOrWhiteSpace(detail))
        {
            return "";
        }

        var line = detail.ReplaceLineEndings(" ").Trim().TrimEnd('.');
        return $" ({(line.Length <= MaxDetail ? line : string.Concat(line.AsSpan(0, MaxDetail), "…"))})";
    }
}
