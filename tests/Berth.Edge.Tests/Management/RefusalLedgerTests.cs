using Berth.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Testing;

namespace Berth.Edge.Tests.Management;

public sealed class RefusalLedgerTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly BrokenAccounts _accounts;
    private readonly EdgeMetrics _metrics = new();
    private readonly RefusalLedger _ledger;

    public RefusalLedgerTests()
    {
        _accounts = new BrokenAccounts(_clock);
        _ledger = new RefusalLedger(
            new AuditTrail(_accounts, new CurrentRequest(), _metrics, _clock, NullLogger<AuditTrail>.Instance), _metrics, _clock);
    }

    public void Dispose()
    {
        _ledger.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Note_ManyOfOneSort_TheFirstAtOnceAndTheRestAsOneEvent()
    {
        for (var i = 0; i < 1000; i++)
        {
            _ledger.Note(null, "bearer.use", "Signature");
        }

        Assert.Equal(["Signature"], await TargetsAsync());
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["Signature", "Signature (999 more)"], await TargetsAsync());
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(2, (await TargetsAsync()).Count);
    }

    [Fact]
    public async Task Note_AfterTheMinute_IsWrittenAtOnceAgain()
    {
        _ledger.Note(null, "bearer.use", "Time");
        _clock.Advance(TimeSpan.FromMinutes(1));
        _ledger.Note(null, "bearer.use", "Time");

        Assert.Equal(["Time", "Time"], await TargetsAsync());
    }

    [Fact]
    public async Task Note_MadeUpSorts_AreBounded()
    {
        for (var i = 0; i < 10_000; i++)
        {
            _ledger.Note(null, "workspace.open", $"ws-{i}");
        }

        _clock.Advance(TimeSpan.FromMinutes(1));
        var targets = await TargetsAsync();
        Assert.Equal(RefusalLedger.MaximumKinds + 2, targets.Count);
        Assert.Contains("others", targets);
        Assert.Contains($"others ({10_000 - RefusalLedger.MaximumKinds - 1} more)", targets);
    }

    [Fact]
    public async Task Dispose_WhatWasOnlyCounted_IsWritten()
    {
        _ledger.Note(null, "bearer.use", "Time");
        _ledger.Note(null, "bearer.use", "Time");
        _ledger.Dispose();

        Assert.Equal(["Time", "Time (1 more)"], await TargetsAsync());
    }

    private async Task<List<string?>> TargetsAsync()
    {
        var events = await _accounts.ListAuditAsync(new AuditQuery { Limit = 1000 }, default);
        Assert.All(events, e => Assert.Equal("refused", e.Outcome));
        return [.. events.Select(e => e.Target).Order(StringComparer.Ordinal)];
    }
}
