using System.Text;
using System.Text.Json;
using Kube.Client.Json;
using Kube.Client.Models;

namespace Kube.Client.Tests.Json;

public sealed class PooledReadingTests
{
    [Fact]
    public void Get_SameAsciiTwice_SameObject()
    {
        var pool = new StringPool();
        Assert.Same(pool.Get("app.kubernetes.io/name"u8), pool.Get("app.kubernetes.io/name"u8));
    }

    [Fact]
    public void Get_ManyTexts_EachIsRight()
    {
        // More than there are slots, so that many push each other out.
        var pool = new StringPool();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 40_000; i++)
            {
                var text = new string((char)('a' + (i % 26)), i % 40) + i;
                Assert.Equal(text, pool.Get(Encoding.ASCII.GetBytes(text)));
            }
        }
    }

    [Theory]
    [InlineData("grüße")]
    [InlineData("日本")]
    public void Get_NotAscii_IsNotPooled(string text) => Assert.Null(new StringPool().Get(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Of_LabelsAndValues_ShareTheirTexts()
    {
        var info = new PooledReading().Of<ConfigMap>();
        var json = """{"metadata":{"labels":{"tier":"common value"}},"data":{"tier":"common value","esc":"a\u0062c","umlaut":"ü"}}"""u8;
        var first = JsonSerializer.Deserialize(json, info)!;
        var second = JsonSerializer.Deserialize(json, info)!;
        Assert.Same(first.Metadata.Labels!["tier"], second.Data!["tier"]);
        Assert.Same(first.Data!.Keys.First(), second.Metadata.Labels!.Keys.First());
        Assert.Equal(("abc", "ü"), (second.Data["esc"], second.Data["umlaut"]));
    }

    [Fact]
    public void Of_BytesThatAreNoText_AreRefused()
    {
        var info = new PooledReading().Of<ConfigMap>();
        byte[] json = [.. "{\"data\":{\"a\":\""u8, 0xC3, 0x28, .. "\"}}"u8];
        Assert.ThrowsAny<Exception>(() => JsonSerializer.Deserialize(json, info));
    }
}
