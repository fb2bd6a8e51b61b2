namespace Kube.Runtime.Tests.Queueing;

public sealed class ItemBackoffTests
{
    [Fact]
    public void Next_ManyFailures_StopsAtTheCapWithoutOverflow()
    {
        var backoff = new ItemBackoff<string>();
        var last = TimeSpan.Zero;
        for (var i = 0; i < 5000; i++)
        {
            var next = backoff.Next("a");
            Assert.True(next >= last);
            last = next;
        }

        Assert.Equal(TimeSpan.FromSeconds(1000), last);
    }

    [Fact]
    public void Next_OtherItem_IsNotAffected()
    {
        var backoff = new ItemBackoff<string>();
        backoff.Next("a");
        backoff.Next("a");
        Assert.Equal(TimeSpan.FromMilliseconds(5), backoff.Next("b"));
    }
}
