using System.Net;
using Testing;

namespace Berth.Edge.Tests.Proxy;

/// <summary>The circuit breaker and the budget of repeats: pure, and in front of a process that is gone.</summary>
public class CircuitTests
{
    private static readonly CircuitPolicy Policy = new(3, TimeSpan.FromSeconds(5));
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Failed_FewerThanThreshold_StaysClosed()
    {
        var circuit = Failed(2);

        Assert.Equal((true, circuit), circuit.Ask(Policy, Start));
    }

    [Fact]
    public void Failed_Threshold_OpensForItsTime()
    {
        var circuit = Failed(3);

        Assert.False(circuit.Ask(Policy, Start).Passes);
        Assert.False(circuit.Ask(Policy, Start.AddSeconds(4.9)).Passes);
        Assert.True(circuit.Ask(Policy, Start.AddSeconds(5)).Passes);
    }

    [Fact]
    public void Ask_TimeIsOver_OneProbePasses()
    {
        var (passes, probing) = Failed(3).Ask(Policy, Start.AddSeconds(5));

        Assert.True(passes);
        Assert.False(probing.Ask(Policy, Start.AddSeconds(6)).Passes);
    }

    [Fact]
    public void Ask_NothingHeardOfTheProbe_AnotherPasses()
    {
        var probing = Failed(3).Ask(Policy, Start.AddSeconds(5)).Next;

        Assert.True(probing.Ask(Policy, Start.AddSeconds(10)).Passes);
    }

    [Fact]
    public void Failed_Probe_OpensAgain()
    {
        var probing = Failed(3).Ask(Policy, Start.AddSeconds(5)).Next;
        var open = probing.Failed(Policy, Start.AddSeconds(6));

        Assert.False(open.Ask(Policy, Start.AddSeconds(10.9)).Passes);
        Assert.True(open.Ask(Policy, Start.AddSeconds(11)).Passes);
    }

    [Fact]
    public void Failed_LongAfterTheLast_CountsFromOne()
    {
        var circuit = Failed(2).Failed(Policy, Start + Circuit.Memory);

        Assert.Equal(1, circuit.Failures);
        Assert.True(circuit.IsForgettable(Start + Circuit.Memory + Circuit.Memory));
        Assert.False(circuit.IsForgettable(Start + Circuit.Memory));
    }

    [Fact]
    public void Failed_ThresholdZero_NeverOpens()
    {
        var circuit = default(Circuit);
        for (var i = 0; i < 100; i++)
        {
            circuit = circuit.Failed(new CircuitPolicy(0, TimeSpan.FromSeconds(5)), Start);
        }

        Assert.True(circuit.Ask(Policy, Start).Passes);
    }

    [Fact]
    public void Budget_OneInTenAfterTheReserve()
    {
        var budget = new RetryBudget(10);
        var repeats = 0;
        for (var i = 0; i < 1000; i++)
        {
            budget.Earn();
            repeats += budget.TrySpend() ? 1 : 0;
        }

        Assert.InRange(repeats, 100, 100 + RetryBudget.Reserve);
        Assert.False(new RetryBudget(0).TrySpend());
    }

    [Fact]
    public void Budget_SavesNoMoreThanTheReserve()
    {
        var budget = new RetryBudget(100);
        for (var i = 0; i < 1000; i++)
        {
            budget.Earn();
        }

        Assert.Equal(RetryBudget.Reserve, Enumerable.Range(0, 1000).Count(_ => budget.TrySpend()));
    }

    [Fact]
    public async Task DeadProcess_CircuitOpens_ProbesAndCloses()
    {
        await using var edge = await EdgeFixture.StartAsync();
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        var good = edge.Directory[EdgeFixture.WorkspaceHost];
        var port = LoopbackPort.Free();
        edge.Directory.Put(good with { Target = new WorkspaceTarget("127.0.0.1", port) });

        // A GET is tried twice: three of them are beyond five failures.
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.BadGateway, await StatusAsync(browser));
        }

        using var revived = new RawUpstream(port);
        var open = await StatusAsync(browser);
        Assert.Equal((HttpStatusCode.BadGateway, 0), (open, revived.Connections));

        edge.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser));
        Assert.Equal(0, edge.Get<Circuits>().Count);

        // The other workspace's circuit is its own.
        edge.Directory.Put(good);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(browser));
    }

    [Theory]
    [InlineData(10, HttpStatusCode.OK)]
    [InlineData(0, HttpStatusCode.BadGateway)]
    public async Task Repeat_OnlyWithinTheBudget(int percent, HttpStatusCode expected)
    {
        var moved = new MovedOnce();
        await using var edge = await EdgeFixture.StartAsync(
            options: o => o with { Proxy = o.Proxy with { RetryPercent = percent } },
            services: s => Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions
                .AddSingleton<IWorkspaceDirectory>(s, moved));
        moved.Inner = edge.Directory;
        var browser = await WorkspaceHostTests.EnterAsync(edge);
        moved.DeadAnswers = 2;

        Assert.Equal(expected, await StatusAsync(browser));
    }

    private static Circuit Failed(int times)
    {
        var circuit = default(Circuit);
        for (var i = 0; i < times; i++)
        {
            circuit = circuit.Failed(Policy, Start);
        }

        return circuit;
    }

    private static async Task<HttpStatusCode> StatusAsync(Browser browser)
    {
        using var answer = await browser.GetAsync($"{EdgeFixture.WorkspaceOrigin}/", ("Accept", "application/json"));
        return answer.StatusCode;
    }

    /// <summary>Tells a dead port so often, then the real one.</summary>
    private sealed class MovedOnce : IWorkspaceDirectory
    {
        private readonly int _port = LoopbackPort.Free();

        public TableDirectory Inner { get; set; } = new();

        public int DeadAnswers { get; set; }

        public bool TryFindByHost(string host, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out WorkspaceEntry? entry)
        {
            if (Inner.TryFindByHost(host, out entry) && DeadAnswers-- > 0)
            {
                entry = entry with { Target = new WorkspaceTarget("127.0.0.1", _port) };
            }

            return entry is not null;
        }

        public IWorkspaceChanges Subscribe(string name) => Inner.Subscribe(name);
    }
}
