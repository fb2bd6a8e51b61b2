using System.Diagnostics;
using Kube.Client;
using Kube.Client.Models;
using Microsoft.Extensions.Configuration;

namespace Berth.Operator.Tests;

public sealed class TracesTests
{
    private static readonly ResourceKey Key = new("people", "ws-one");

    [Fact]
    public void Write_IsBelowItsLook_AndSaysHowItEnded()
    {
        var name = "Test" + Guid.NewGuid().ToString("N");
        var ended = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == OperatorTraces.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a =>
            {
                lock (ended)
                {
                    ended.Add(a);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        string? look;
        using (var reconcile = OperatorTraces.Reconcile(Key))
        {
            look = reconcile!.Id;
            using var write = OperatorTraces.Write(Key, name);
            write.Failed(new KubeException(new Status { Code = 409, Reason = "Conflict", Message = "newer" }));
        }

        var child = ended.Single(a => a.OperationName == "write " + name);
        Assert.Equal(look, child.ParentId);
        Assert.Equal(("people", "ws-one", "conflict", 409), (child.GetTagItem("k8s.namespace.name"), child.GetTagItem("berth.workspace"),
            child.GetTagItem("berth.result"), child.GetTagItem("http.response.status_code")));
        Assert.Equal("ok", ended.Single(a => a.Id == look).GetTagItem("berth.result"));
    }

    [Theory]
    [InlineData(false, null, null)]
    [InlineData(true, null, "true")]
    [InlineData(true, "none", null)]
    public void Export_NotAskedFor_IsOff(bool endpoint, string? exporter, string? disabled)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint ? "http://127.0.0.1:1" : null),
            new("OTEL_TRACES_EXPORTER", exporter),
            new("OTEL_SDK_DISABLED", disabled),
        ]).Build();
        Assert.Null(OperatorTraces.Export(configuration));
    }
}
