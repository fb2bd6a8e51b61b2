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

    [Fact]
    public void Find_WhatWentWell_IsAllThatWasEntered()
    {
        var history = new RequestHistory(successes: 4, refusals: 8);
        var entry = EdgeFixture.Entry("ws-one.localhost", "https://issuer.example", "ann", 1);
        var caller = new Caller
        {
            Kind = CallerKind.Session,
            Issuer = entry.OwnerIssuer,
            Subject = "ann",
            ExpiresAt = DateTimeOffset.UnixEpoch.AddDays(1),
        };
        var forwarded = Record("replica-1", 200) with
        {
            Host = entry.Host,
            HostKind = HostKind.Workspace,
            Path = "/a/b",
            Duration = TimeSpan.FromMilliseconds(3),
            Caller = caller,
            Access = new WorkspaceAccess(entry, caller, "owner"),
        };
        var own = Record("replica-2", 302) with { Host = "localhost", HostKind = HostKind.Edge, Path = new string('x', RequestRecord.MaximumText) + "…" };
        var bare = Record("replica-3", 200);

        foreach (var record in (RequestRecord[])[forwarded, own, bare])
        {
            history.Add(record);
            Assert.Equal(record, history.Find(record.Id));
        }

        Assert.Null(history.Find("replica"));
        Assert.Null(history.Find("replica-11"));
    }

    [Fact]
    public async Task Find_WhileOthersEnter_NeverMixesTwo()
    {
        var history = new RequestHistory(successes: 3, refusals: 1);
        var writers = Enumerable.Range(0, 4).Select(w => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                history.Add(Record($"r{w}-{i % 10}", 200) with { Path = $"/{w}-{i % 10}", Host = $"r{w}-{i % 10}" });
            }
        })).ToList();
        while (!writers.TrueForAll(w => w.IsCompleted))
        {
            foreach (var w in Enumerable.Range(0, 4))
            {
                if (history.Find($"r{w}-7") is { } record)
                {
                    Assert.Equal(($"/{w}-7", $"r{w}-7"), (record.Path, record.Host));
                }
            }

            await Task.Yield();
        }

        await Task.WhenAll(writers);
        Assert.NotNull(history.Find("r0-9") ?? history.Find("r1-9") ?? history.Find("r2-9") ?? history.Find("r3-9"));
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
