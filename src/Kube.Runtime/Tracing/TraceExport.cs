using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Kube.Runtime;

/// <summary>Sends a program's spans by OTLP where the standard variables of OpenTelemetry ask for it.</summary>
public static class TraceExport
{
    /// <summary>
    /// Begins to send: OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT name a collector, and neither
    /// OTEL_SDK_DISABLED=true nor OTEL_TRACES_EXPORTER=none forbids it. The other standard variables hold too; the exporter reads them from
    /// the environment.
    /// </summary>
    /// <param name="service">The program's name: <c>service.name</c>, unless the environment says another.</param>
    /// <param name="source">Name of the <see cref="System.Diagnostics.ActivitySource"/>.</param>
    /// <param name="variable">Reads a variable; null where it is not there.</param>
    /// <returns>What ends it, after sending what is left; null where nobody asked.</returns>
    public static IDisposable? Start(string service, string source, Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        return IsAskedFor(variable)
            ? Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(r => r.AddService(service).AddEnvironmentVariableDetector())
                .AddSource(source)
                .AddOtlpExporter()
                .Build()
            : null;
    }

    private static bool IsAskedFor(Func<string, string?> variable) =>
        (!string.IsNullOrEmpty(variable("OTEL_EXPORTER_OTLP_ENDPOINT"))
            || !string.IsNullOrEmpty(variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")))
        && !string.Equals(variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)
        && variable("OTEL_TRACES_EXPORTER") is not "none";
}
