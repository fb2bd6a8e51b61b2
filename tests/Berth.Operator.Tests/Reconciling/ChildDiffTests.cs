using System.Text.Json;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

public sealed class ChildDiffTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1,"b":2}""", true)]
    [InlineData("""{"a":1}""", """{"b":2}""", false)]
    [InlineData("""{"a":{"b":"x"}}""", """{"a":{"b":"x","c":"y"}}""", true)]
    [InlineData("""{"a":[{"n":1}]}""", """{"a":[{"n":1,"defaulted":true}]}""", true)]
    [InlineData("""{"a":[1]}""", """{"a":[1,2]}""", false)]
    [InlineData("""{"a":"1024Mi"}""", """{"a":"1Gi"}""", true)]
    [InlineData("""{"a":"1Gi"}""", """{"a":"2Gi"}""", false)]
    [InlineData("""{"a":{}}""", "{}", true)]
    [InlineData("""{"a":true}""", """{"a":false}""", false)]
    [InlineData("""{"a":1}""", """{"a":1.0}""", true)]
    [InlineData("""{"a":{"b":1}}""", """{"a":"text"}""", false)]
    public void Covers_WantAndHave_IgnoresWhatOthersAdded(string want, string have, bool expected)
    {
        using var a = JsonDocument.Parse(want);
        using var b = JsonDocument.Parse(have);
        Assert.Equal(expected, ChildDiff.Covers(a.RootElement, b.RootElement));
    }

    [Fact]
    public void Differs_FieldLeftTheBlueprint_IsSeenByTheHash()
    {
        var applied = Stamped(new ServiceSpec { Type = "ClusterIP", SessionAffinity = "ClientIP" });
        Assert.False(ChildDiff.Differs(applied, applied, Service.JsonTypeInfo));
        Assert.True(ChildDiff.Differs(Stamped(new ServiceSpec { Type = "ClusterIP" }), applied, Service.JsonTypeInfo));
    }

    private static Service Stamped(ServiceSpec spec)
    {
        var service = new Service { Metadata = new ObjectMeta { Name = "a" }, Spec = spec };
        return service with { Metadata = ChildDiff.Stamp(service, Service.JsonTypeInfo) };
    }
}
