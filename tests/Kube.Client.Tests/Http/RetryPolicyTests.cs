using System.Net;
using Kube.Client.Http;

namespace Kube.Client.Tests.Http;

public sealed class RetryPolicyTests
{
    private static readonly KubeClientOptions Options = new();

    [Theory]
    [InlineData(1, 0.0, 200)]
    [InlineData(1, 0.999999, 400)]
    [InlineData(3, 0.0, 800)]
    [InlineData(3, 0.999999, 1600)]
    public void NextWait_NoRetryAfter_DoublesWithinTheJitter(int tries, double jitter, double expected)
    {
        var wait = RetryPolicy.NextWait(true, tries, new(HttpStatusCode.BadGateway, null, false), jitter, Options);
        Assert.Equal(expected, wait!.Value.TotalMilliseconds, 0.01 * expected);
    }

    [Fact]
    public void NextWait_ManyTries_StaysBelowTheLongestWait()
    {
        var wait = RetryPolicy.NextWait(true, 60, new(HttpStatusCode.BadGateway, null, false), 0.99, Options with { MaxTries = 100 });
        Assert.InRange(wait!.Value, TimeSpan.FromSeconds(5), Options.MaxRetryDelay);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.Gone)]
    [InlineData(HttpStatusCode.NotImplemented)]
    public void NextWait_WillNotPassByItself_GivesUp(HttpStatusCode status) =>
        Assert.Null(RetryPolicy.NextWait(true, 1, new(status, null, false), 0, Options));

    [Fact]
    public void NextWait_NotIdempotent_GivesUp() =>
        Assert.Null(RetryPolicy.NextWait(false, 1, new(HttpStatusCode.TooManyRequests, TimeSpan.Zero, false), 0, Options));
}
