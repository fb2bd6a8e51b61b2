namespace Kube.Runtime;

/// <summary>The name under which this library publishes its metrics.</summary>
public static class RuntimeMeter
{
    /// <summary>Name of the <see cref="System.Diagnostics.Metrics.Meter"/>; subscribe to it to export everything.</summary>
    public const string Name = "Kube.Runtime";
}
