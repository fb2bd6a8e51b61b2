namespace Berth.Resources;

/// <summary>Patterns for quantities in schemas: every API server can check them, also those that know no CEL.</summary>
public static class QuantityPatterns
{
    /// <summary>A quantity greater than zero without sign or exponent, such as 500m, 1.5 or 10Gi.</summary>
    public const string Positive = @"^(0*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$";
}
