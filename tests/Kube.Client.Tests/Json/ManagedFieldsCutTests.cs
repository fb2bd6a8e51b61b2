using System.Text;
using Kube.Client.Json;
using Kube.Client.Models;

namespace Kube.Client.Tests.Json;

public sealed class ManagedFieldsCutTests
{
    [Theory]
    [InlineData("""{"metadata":{"managedFields":[{"manager":"a"}],"name":"x"}}""")]
    [InlineData("""{"metadata":{"name":"x","managedFields":[{"fieldsV1":{"f:metadata":{}}}]}}""")]
    [InlineData("""{"metadata":{"name":"x","managedFields":[],"uid":"u"},"data":{"a":"b"}}""")]
    [InlineData(
        """{ "data" : { "managedFields" : "kept" } , "metadata" : { "name" : "x" , "managedFields" : [ 1 , 2 ] , "uid" : "u" } }"""
    )]
    [InlineData("""{"metadata":{"name":"x","annotations":{"managedFields":"kept"}}}""")]
    [InlineData("""{"metadata":{"name":"x","managed\u0046ields":[1]}}""")]
    public void Read_AnyPlaceInMetadata_GivesTheObjectWithoutThem(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        var whole = ObjectReading.Read(bytes, ConfigMap.JsonTypeInfo);

        var cut = ManagedFieldsCut.Read(bytes, ConfigMap.JsonTypeInfo);

        Assert.Null(cut.Metadata.ManagedFields);
        Assert.Equal("x", cut.Metadata.Name);
        Assert.Equal(whole.Metadata.Uid, cut.Metadata.Uid);
        Assert.Equal(whole.Metadata.Annotations, cut.Metadata.Annotations);
        Assert.Equal(whole.Data, cut.Data);
    }

    [Fact]
    public void Read_NothingElseInMetadata_GivesEmptyMetadata()
    {
        var cut = ManagedFieldsCut.Read("""{"metadata":{"managedFields":[1]},"data":{"a":"b"}}"""u8, ConfigMap.JsonTypeInfo);

        Assert.Null(cut.Metadata.ManagedFields);
        Assert.Equal("b", cut.Data!["a"]);
    }
}
