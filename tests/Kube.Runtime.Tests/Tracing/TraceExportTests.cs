using System.Diagnostics;

namespace Kube.Runtime.Tests.Tracing;

public class TraceExportTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT=")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=false")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=True")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_EXPORTER=otlp")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_EXPORTER=none")]
    [InlineData(false, "OTEL_TRACES_EXPORTER=otlp")]
    public void Start_Variables_DecideWhetherSpansAreTaken(bool expected, params string[] variables)
    {
        var name = $"test-{Guid.NewGuid():n}";
        using var source = new ActivitySource(name);
        var given = variables.Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);

        using (var export = TraceExport.Start("test", name, v => given.GetValueOrDefault(v)))
        {
            Assert.Equal(expected, export is not null);
            Assert.Equal(expected, source.HasListeners());
        }

        Assert.False(source.HasListeners());
    }
}
