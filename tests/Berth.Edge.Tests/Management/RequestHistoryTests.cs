namespace Berth.Edge.Tests.Management;

public class RequestHistoryTests
{
    [Fact]
    public void Add_FloodOfTheOtherSort_DrivesNothingOut()
    {
        var history = new RequestHistory(successes: 4, refusals: 8);
        history.Add(Record("refused", 403));
        for (var i = 0; i < 100; i++)
        {
            history.Add(Record($"good-{i}", 200));
        }

        Assert.NotNull(history.Find("refused"));
        Assert.NotNull(history.Find("good-96"));
        Assert.Null(history.Find("good-95"));
    }

    [Fact]
    public void Add_MoreThanItHolds_ForgetsTheOldest()
    {
        var history = new RequestHistory(successes: 4, refusals: 8);
        for (var i = 0; i < 9; i++)
        {
            history.Add(Record($"{i}", 400));
        }

        Assert.Null(history.Find("0"));
        Assert.All(Enumerable.Range(1, 8), i => Assert.NotNull(history.Find($"{i}")));
    }

    [Theory]
    [InlineData("berth-edge-7d9f8c-x7k2p", "x7k2p")]
    [InlineData("HOST.example", "example")]
    [InlineData("---", "")]
    [InlineData("averyveryverylongname", "averyver")]
    public void Next_MachineOfAnyName_IdThatNamesTheReplica(string machine, string expected)
    {
        var ids = new RequestIds(machine);

        var (first, second) = (ids.Next(), ids.Next());

        Assert.StartsWith(expected, ids.Replica, StringComparison.Ordinal);
        Assert.Equal(expected.Length + 4, ids.Replica.Length);
        Assert.Equal((ids.Replica, ids.Replica), (RequestIds.ReplicaOf(first), RequestIds.ReplicaOf(second)));
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("abc")]
    [InlineData("abc-")]
    [InlineData("abc-XYZ")]
    [InlineData("a b-1")]
    [InlineData("0HN123:00000001")]
    [InlineData("abcdefghijklmnopqrstuvwxyz-1")]
    public void ReplicaOf_NoIdOfOurs_Null(string id) => Assert.Null(RequestIds.ReplicaOf(id));

    private static RequestRecord Record(string id, int status) => new()
    {
        Id = id,
        At = DateTimeOffset.UnixEpoch,
        Duration = TimeSpan.Zero,
        Method = "GET",
        Route = "api",
        Status = status,
    };
}
