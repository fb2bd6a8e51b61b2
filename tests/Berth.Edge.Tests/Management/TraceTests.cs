using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Span = System.Diagnostics.Activity;

namespace Berth.Edge.Tests.Management;

[Collection(ProcessMeters.Name)]
public class TraceTests
{
    private const string Given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Traceparent_OnlyOfATrustedProxy_IsContinuedToTheWorkspace(bool trusted)
    {
        var spans = new ConcurrentQueue<Span>();
        using var listener = Listen(spans);
        await using var edge = await ProductFixture.StartAsync(
            o => o with { Edge = o.Edge with { TrustedProxies = trusted ? ["127.0.0.1/32"] : [] } });
        await using var upstream = await Upstream.StartAsync();
        using var api = edge.Api("user1");
        using var made = await api.PostAsync("/api/workspaces", null);
        edge.MakeReady(edge.NameOf("user1"), upstream.Port);
        var host = edge.HostOf("user1");
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>().TryFindByHost(new Uri(host).Host, out var entry) && entry.IsReady);
        api.DefaultRequestHeaders.Add("traceparent", Given);
        api.DefaultRequestHeaders.Add("baggage", "who=somebody");

        using var answer = await api.GetAsync($"{host}/files?key=secret");

        var received = upstream.Requests.Single(r => r.Target.StartsWith("/files", StringComparison.Ordinal));
        var arrived = Assert.Single(received.Headers.Single(h => h.Key.Equals("traceparent", StringComparison.OrdinalIgnoreCase)).Value);
        await ProductFixture.Until(() => spans.Any(s => arrived.Contains(s.SpanId.ToHexString(), StringComparison.Ordinal)));
        var span = spans.Single(s => arrived.Contains(s.SpanId.ToHexString(), StringComparison.Ordinal));
        Assert.Equal(trusted, arrived.Contains("0af7651916cd43dd8448eb211c80319c", StringComparison.Ordinal));
        Assert.DoesNotContain("b7ad6b7169203331", arrived, StringComparison.Ordinal);
        Assert.DoesNotContain(received.Headers, h => h.Key.Equals("baggage", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(("GET workspace", "owner", "workspace", 200), (span.DisplayName, span.GetTagItem("berth.decision"),
            span.GetTagItem("berth.route"), span.GetTagItem("http.response.status_code")));
        Assert.Equal(Assert.Single(answer.Headers.GetValues("X-Request-Id")), span.GetTagItem("berth.request_id"));
        Assert.DoesNotContain(span.TagObjects, t => t.Value?.ToString() is { } text
            && (text.Contains("secret", StringComparison.Ordinal) || text.Contains("user1", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false, null, null)]
    [InlineData(true, null, "true")]
    [InlineData(true, "none", null)]
    public void Export_NotAskedFor_IsOff(bool endpoint, string? exporter, string? disabled) =>
        Assert.Null(EdgeTraces.Export(Configuration(endpoint, exporter, disabled)));

    [Fact]
    public void Export_Endpoint_IsOn()
    {
        using var export = EdgeTraces.Export(Configuration(true, null, null));
        Assert.NotNull(export);
    }

    private static IConfigurationRoot Configuration(bool endpoint, string? exporter, string? disabled) =>
        new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint ? "http://127.0.0.1:1" : null),
            new("OTEL_TRACES_EXPORTER", exporter),
            new("OTEL_SDK_DISABLED", disabled),
        ]).Build();

    private static ActivityListener Listen(ConcurrentQueue<Span> ended)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == EdgeTraces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
