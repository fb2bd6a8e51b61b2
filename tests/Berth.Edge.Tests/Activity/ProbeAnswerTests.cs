using System.Text;

namespace Berth.Edge.Tests.Activity;

/// <summary>What an application may answer, and what it may not do with it.</summary>
public class ProbeAnswerTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("""{"last":"2030-01-01T11:00:00Z"}""", "last", "11:00:00")]
    [InlineData("""{"last":"2030-01-01T13:00:00+02:00"}""", "last", "11:00:00")]
    [InlineData("""{"last":"2030-01-01T11:00:00.123456789Z"}""", "last", "11:00:00")]
    [InlineData("""{"last":"2030-01-01T11:00:00"}""", "last", "11:00:00")]
    [InlineData("""{"last":"2999-01-01T00:00:00Z"}""", "last", "12:00:00")] // The future is now.
    [InlineData("""{"a":{"b":{"c":1893495600000}}}""", "a.b.c", "11:00:00")] // Milliseconds since 1970.
    [InlineData("""{"t":9000000000000}""", "t", "12:00:00")]
    [InlineData("""{"t":1e300}""", "t", "12:00:00")]
    [InlineData("""{"busy":true}""", "busy", "12:00:00")]
    [InlineData("""{"kernels":3}""", "kernels", "12:00:00")]
    [InlineData("""{"load":0.01}""", "load", "12:00:00")]
    [InlineData("""{"busy":false}""", "busy", null)]
    [InlineData("""{"kernels":0}""", "kernels", null)]
    [InlineData("""{"kernels":-4}""", "kernels", null)]
    [InlineData("""{"last":null}""", "last", null)]
    public void TryRead_Usable_TheLastUse(string json, string field, string? time)
    {
        Assert.True(ProbeAnswer.TryRead(Encoding.UTF8.GetBytes(json), field, Now, out var lastUse, out _));
        Assert.Equal(time, lastUse?.UtcDateTime.ToString("HH:mm:ss"));
    }

    [Theory]
    [InlineData("", "last")]
    [InlineData("<html>", "last")]
    [InlineData("[]", "last")]
    [InlineData("17", "last")]
    [InlineData("{}", "last")]
    [InlineData("""{"a":5}""", "a.b")]
    [InlineData("""{"last":"yesterday"}""", "last")]
    [InlineData("""{"last":"2030-13-01T11:00:00Z"}""", "last")]
    [InlineData("""{"last":"12:00"}""", "last")]
    [InlineData("""{"last":""}""", "last")]
    [InlineData("""{"last":{}}""", "last")]
    [InlineData("""{"last":["2030-01-01T11:00:00Z"]}""", "last")]
    [InlineData("""{"last":true} trailing""", "last")]
    [InlineData("{\"\\ud800\":1}", "last")]
    [InlineData("""{"last":"\ud800"}""", "last")]
    public void TryRead_Unusable_SaysWhy(string json, string field)
    {
        Assert.False(ProbeAnswer.TryRead(Encoding.UTF8.GetBytes(json), field, Now, out var lastUse, out var problem));
        Assert.Null(lastUse);
        Assert.NotNull(problem);
    }

    [Fact]
    public void TryRead_DeepOrRandom_NeverThrows()
    {
        Assert.False(ProbeAnswer.TryRead(Encoding.UTF8.GetBytes(new string('[', 60_000)), "last", Now, out _, out _));
        Assert.False(ProbeAnswer.TryRead(Encoding.UTF8.GetBytes("{\"last\":" + new string('9', 60_000) + "}x"), "last", Now, out _, out _));
        var random = new Random(4711);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = new byte[random.Next(0, 60)];
            random.NextBytes(bytes);
            ProbeAnswer.TryRead(bytes, "last", Now, out _, out _);
        }
    }
}
