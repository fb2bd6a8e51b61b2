using System.Text.Json;
using Kube.Client.Json;
using Kube.Client.Models;

namespace Kube.Client.Tests.Json;

public sealed class JsonTests
{
    [Theory]
    [InlineData("2026-01-02T03:04:05Z")]
    [InlineData("2026-01-02T04:04:05+01:00")]
    [InlineData("2026-01-02T03:04:05.123456789Z")]
    public void Time_AnyRfc3339_IsWrittenAsUtcSeconds(string text)
    {
        var meta = JsonSerializer.Deserialize($$"""{"creationTimestamp":"{{text}}"}""", KubeJson.Default.ObjectMeta)!;
        Assert.Equal("""{"creationTimestamp":"2026-01-02T03:04:05Z"}""", JsonSerializer.Serialize(meta, KubeJson.Default.ObjectMeta));
    }

    [Fact]
    public void Time_Null_IsAbsent() =>
        Assert.Null(JsonSerializer.Deserialize("""{"creationTimestamp":null}""", KubeJson.Default.ObjectMeta)!.CreationTimestamp);

    [Theory]
    [InlineData("\"yesterday\"")]
    [InlineData("5")]
    public void Time_SomethingElse_IsRefused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize($$"""{"creationTimestamp":{{json}}}""", KubeJson.Default.ObjectMeta));

    [Fact]
    public void MicroTime_Lease_HasSixDecimals()
    {
        var lease = JsonSerializer.Deserialize("""{"spec":{"renewTime":"2026-01-02T03:04:05.000001Z"}}""", KubeJson.Default.Lease)!;
        var whole = lease with { Spec = lease.Spec! with { AcquireTime = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero) } };
        var text = JsonSerializer.Serialize(whole, KubeJson.Default.Lease);
        Assert.Contains("\"renewTime\":\"2026-01-02T03:04:05.000001Z\"", text, StringComparison.Ordinal);
        Assert.Contains("\"acquireTime\":\"2026-01-02T03:04:05.000000Z\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("80")]
    [InlineData("\"http\"")]
    [InlineData("\"80\"")]
    public void IntOrString_RoundTrips(string json)
    {
        var probe = JsonSerializer.Deserialize($$$"""{"spec":{"ports":[{"port":1,"targetPort":{{{json}}}}]}}""", KubeJson.Default.Service)!;
        Assert.Contains($"\"targetPort\":{json}", JsonSerializer.Serialize(probe, KubeJson.Default.Service), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("true")]
    [InlineData("{}")]
    public void IntOrString_SomethingElse_IsRefused(string json) =>
        Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize($$$"""{"spec":{"ports":[{"port":1,"targetPort":{{{json}}}}]}}""", KubeJson.Default.Service)
        );

    [Fact]
    public void Metadata_AbsentOrNull_IsEmptyAndNotNull()
    {
        Assert.NotNull(JsonSerializer.Deserialize("{}", KubeJson.Default.Pod)!.Metadata);
        Assert.NotNull(JsonSerializer.Deserialize("""{"metadata":null}""", KubeJson.Default.Pod)!.Metadata);
    }

    [Fact]
    public void Pod_OfARealServer_KeepsWhatTheModelNames()
    {
        const string Wire = """
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"a","labels":{"x":"y"},"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"o","uid":"u","controller":true}]},
            "spec":{"containers":[{"name":"c","image":"i","ports":[{"name":"http","containerPort":8080,"hostIP":"127.0.0.1"}],"readinessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":2}}],
            "volumes":[{"name":"v","projected":{"sources":[{"downwardAPI":{"items":[{"path":"a","fieldRef":{"fieldPath":"metadata.name"}}]}}]}}],"enableServiceLinks":false},
            "status":{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}],"hostIP":"10.1.0.1","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":137,"signal":9,"reason":"OOMKilled"}},"ready":false,"restartCount":2,"imageID":"sha","containerID":"id"}]}}
            """;
        var pod = JsonSerializer.Deserialize(Wire, KubeJson.Default.Pod);
        var again = JsonSerializer.Serialize(pod, KubeJson.Default.Pod);
        using var expected = JsonDocument.Parse(Wire);
        using var actual = JsonDocument.Parse(again);
        Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), again);
    }

    [Fact]
    public void Secret_Data_IsBase64OnTheWire()
    {
        var secret = new Secret { Data = new Dictionary<string, byte[]> { ["k"] = [1, 2, 255] } };
        Assert.Contains("\"k\":\"AQL/\"", JsonSerializer.Serialize(secret, KubeJson.Default.Secret), StringComparison.Ordinal);
    }

    [Fact]
    public void ObjectReading_KindThatDoesNotKnowItsNames_GetsThem()
    {
        var thing = ObjectReading.Read<Thing>(""" {"metadata":{"name":"a"}}"""u8, Things.Default.Thing);
        Assert.Equal(("x.io/v1", "Thing", "a"), (thing.ApiVersion, thing.Kind, thing.Metadata.Name));
        Assert.Equal("Thing", ObjectReading.Read<Thing>("{ }"u8, Things.Default.Thing).Kind);
    }
}

public sealed record Thing : IKubeResource<Thing>
{
    public static ResourceDescriptor Descriptor { get; } = new("x.io", "v1", "Thing", "things");

    public static System.Text.Json.Serialization.Metadata.JsonTypeInfo<Thing> JsonTypeInfo => Things.Default.Thing;

    public string ApiVersion { get; init; } = "";

    public string Kind { get; init; } = "";

    public ObjectMeta Metadata
    {
        get;
        init => field = value ?? new();
    } = new();
}

[System.Text.Json.Serialization.JsonSourceGenerationOptions(
    PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.CamelCase
)]
[System.Text.Json.Serialization.JsonSerializable(typeof(Thing))]
public sealed partial class Things : System.Text.Json.Serialization.JsonSerializerContext;
