using System.Text;

namespace Berth.Accounts.Tests;

public abstract partial class AccountStoreContract
{
    [SkippableFact]
    public async Task AuditLog_Events_OneChainThatVerifies()
    {
        await using var store = await CreateAsync();
        Assert.Equal(new AuditVerification(0, new AuditAnchor(0, new string('0', 64)), null, null), await store.AuditLog.VerifyAsync(null,
            default));
        for (var i = 0; i < 20; i++)
        {
            store.Audit(NewEvent(i));
        }

        await store.FlushAsync(default);
        var half = (await store.AuditLog.VerifyAsync(null, default)).Head;
        store.Audit(NewEvent(20) with { Actor = null, Target = "line\nbreak, \"quote\" ü\U0001F600 \ud800\0", RequestId = null });
        await store.FlushAsync(default);

        var found = await store.AuditLog.VerifyAsync(half, default);
        Assert.Equal((21, 21, null), (found.Events, found.Head.Sequence, found.BrokenAt));
        Assert.Equal(Enumerable.Range(1, 21).Select(i => (long)i), await SequencesAsync(store, new()));
        var entries = await ReadAsync(store, new());
        Assert.Equal(entries[0].Hash.ToArray(), entries[1].Previous.ToArray());
        Assert.Equal(half.Hash, Convert.ToHexStringLower(entries[19].Hash.Span));
    }

    [SkippableFact]
    public async Task AuditLog_SameEventTwice_KeptOnce()
    {
        await using var store = await CreateAsync();
        var twice = NewEvent(1);
        store.Audit(twice);
        store.Audit(NewEvent(2));
        await store.FlushAsync(default);
        store.Audit(twice);
        store.Audit(NewEvent(3));
        await store.FlushAsync(default);

        Assert.Equal((3, null), ((await store.AuditLog.VerifyAsync(null, default)) is var v ? (v.Events, v.BrokenAt) : default));
    }

    [SkippableFact]
    public async Task AuditLog_HeadThatWasNoted_MustStillBeThere()
    {
        await using var store = await CreateAsync();
        store.Audit(NewEvent(1));
        store.Audit(NewEvent(2));
        await store.FlushAsync(default);
        var head = (await store.AuditLog.VerifyAsync(null, default)).Head;

        Assert.Null((await store.AuditLog.VerifyAsync(head, default)).BrokenAt);
        Assert.Equal(2, (await store.AuditLog.VerifyAsync(head with { Hash = new string('a', 64) }, default)).BrokenAt);
        Assert.Equal(3, (await store.AuditLog.VerifyAsync(head with { Sequence = 5 }, default)).BrokenAt);
    }

    [SkippableFact]
    public async Task AuditLog_Range_OnlyThatActorAndTime()
    {
        await using var store = await CreateAsync();
        store.Audit(NewEvent(1));
        store.Audit(NewEvent(2) with { Actor = Bob });
        store.Audit(NewEvent(3));

        await store.FlushAsync(default);
        Assert.Equal([2L], await SequencesAsync(store, new() { Actor = Bob }));
        Assert.Equal([2L, 3L], await SequencesAsync(store, new() { From = Start.AddSeconds(2) }));
        Assert.Equal([1L], await SequencesAsync(store, new() { To = Start.AddSeconds(2) }));
    }

    [SkippableFact]
    public async Task AuditLog_OldEventsExpired_RestStillVerifiesAndGoesOn()
    {
        await using var store = await CreateAsync();
        var old = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < 5; i++)
        {
            store.Audit(NewEvent(i) with { At = old.AddDays(i) });
        }

        await store.FlushAsync(default);
        var early = (await store.AuditLog.VerifyAsync(null, default)).Head;
        Assert.Equal(3, await store.AuditLog.ExpireAsync(old.AddDays(3), default));

        Assert.Equal(4, (await SequencesAsync(store, new()))[0]);
        var rest = await store.AuditLog.VerifyAsync(early, default);
        Assert.Null(rest.Reason);
        Assert.Equal(2, (await store.AuditLog.ExpireAsync(old.AddYears(1), default)));
        store.Audit(NewEvent(9));
        await store.FlushAsync(default);
        var end = await store.AuditLog.VerifyAsync(null, default);
        Assert.Null(end.Reason);
        Assert.True(end.Head.Sequence >= 6);
    }

    [SkippableFact]
    public async Task AuditExport_CsvAndJsonLines_EveryEventInOrder()
    {
        await using var store = await CreateAsync();
        store.Audit(NewEvent(1) with { Target = "=cmd|' /C calc'!A0" });
        store.Audit(NewEvent(2) with { Target = "a,\"b\"\r\nc" });
        await store.FlushAsync(default);
        using var csv = new MemoryStream();
        using var lines = new MemoryStream();
        await AuditExport.WriteCsvAsync(store.AuditLog.ReadAsync(new(), default), csv, default);
        await AuditExport.WriteJsonLinesAsync(store.AuditLog.ReadAsync(new(), default), lines, default);

        var text = Encoding.UTF8.GetString(csv.ToArray());
        Assert.StartsWith("sequence,id,at,issuer,subject,action,object,outcome,request_id,previous,hash\r\n1,", text, StringComparison.Ordinal);
        Assert.Contains(",'=cmd|' /C calc'!A0,", text, StringComparison.Ordinal);
        Assert.Contains(",\"a,\"\"b\"\"\r\nc\",", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", text, StringComparison.Ordinal);
        var objects = Encoding.UTF8.GetString(lines.ToArray()).TrimEnd('\n').Split('\n').Select(Json).ToArray();
        Assert.Equal(["=cmd|' /C calc'!A0", "a,\"b\"\r\nc"], objects.Select(o => o.GetProperty("object").GetString()));
        Assert.Equal("2030-01-01T00:00:01.000000Z", objects[0].GetProperty("at").GetString());
    }

    private static AuditEvent NewEvent(int second) => new()
    {
        At = Start.AddSeconds(second),
        Actor = Ann,
        Action = "workspace.start",
        Target = $"workspaces/{second}",
        Outcome = "allowed",
        RequestId = $"r{second}",
    };

    private static async Task<List<AuditEntry>> ReadAsync(IAccountStore store, AuditRange range)
    {
        var entries = new List<AuditEntry>();
        await foreach (var entry in store.AuditLog.ReadAsync(range, default))
        {
            entries.Add(entry);
        }

        return entries;
    }

    private static async Task<List<long>> SequencesAsync(IAccountStore store, AuditRange range) =>
        [.. (await ReadAsync(store, range)).Select(e => e.Sequence)];
}
