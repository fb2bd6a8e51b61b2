using System.Collections.Concurrent;

namespace Berth.Installed.Tests;

/// <summary>The edge is replaced under open WebSockets.</summary>
[Collection(nameof(Installation))]
public class RolloutTests(Installation berth)
{
    private const int Sockets = 200;

    // What is open on a replica that leaves goes on until its grace is over, is then told to come back (1001), and finds its shell by
    // way of another. Anything else is an unexpected close.
    [SkippableFact]
    public async Task Edge_OfThree_RolledUnder200WebSockets_NoneClosesUnexpectedly()
    {
        await berth.StartAsync();
        await berth.ScaleEdgeAsync(3);
        var person = await berth.NewPersonAsync("roll");
        await berth.CreateForManyTerminalsAsync(person, Sockets);
        await person.EnterAsync();
        var tabs = new ConcurrentBag<Tab>();
        await EachAsync(Enumerable.Range(0, Sockets), async i => tabs.Add(await Tab.OpenAsync(person, i)));
        var old = await berth.PodsAsync(berth.Edge);

        await Shell.KubectlAsync("-n", berth.Namespace, "rollout", "restart", "deployment/" + berth.Edge);
        await Shell.KubectlAsync("-n", berth.Namespace, "rollout", "status", "deployment/" + berth.Edge, "--timeout=300s");
        await Wait.UntilAsync("the end of the old replicas", TimeSpan.FromMinutes(3), async () =>
            !(await berth.PodsAsync(berth.Edge)).Intersect(old).Any());

        await Wait.UntilAsync("the return of the tabs", TimeSpan.FromMinutes(1), () => Task.FromResult(tabs.All(t => !t.Ends.IsEmpty)));
        await EachAsync(tabs, t => t.AskAsync());
        foreach (var tab in tabs)
        {
            await tab.CloseAsync();
        }

        Assert.Equal(Sockets, tabs.Count);
        Assert.All(tabs.SelectMany(t => t.Ends), code => Assert.Equal(1001, code));
    }

    private static Task EachAsync<T>(IEnumerable<T> items, Func<T, Task> what) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (item, _) => await what(item));

    /// <summary>A page with a terminal, which connects anew when its connection ends.</summary>
    private sealed class Tab(Person person, int number)
    {
        private readonly CancellationTokenSource _closed = new();
        private Terminal? _terminal;
        private Task _following = Task.CompletedTask;

        /// <summary>How its connections ended.</summary>
        public ConcurrentQueue<int> Ends { get; } = new();

        public static async Task<Tab> OpenAsync(Person person, int number)
        {
            var tab = new Tab(person, number) { _terminal = await person.OpenTerminalAsync() };
            await tab.AskAsync();
            tab._following = tab.FollowAsync();
            return tab;
        }

        public Task AskAsync() => _terminal!.AskAsync(number);

        public async Task CloseAsync()
        {
            await _closed.CancelAsync();
            await _following;
            _terminal!.Dispose();
            _closed.Dispose();
        }

        private async Task FollowAsync()
        {
            var closed = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _closed.Token);
            while (await Task.WhenAny(_terminal!.Ended, closed) != closed)
            {
                var left = _terminal;
                _terminal = await person.OpenTerminalAsync(left.Id);
                Assert.Equal((true, left.Id), (_terminal.IsResumed, _terminal.Id));
                Ends.Enqueue(await left.Ended);
                left.Dispose();
            }
        }
    }
}
