using Kube.Client.Models;

namespace Kube.Runtime.Tests.Events;

public sealed class EventCorrelatorTests
{
    private readonly EventCorrelator _correlator = new();
    private DateTimeOffset _now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Correlate_SameEventAgain_IsAPatchWithACountUnderTheFirstName()
    {
        var first = _correlator.Correlate(Event("Pulled", "image", name: "e1"), _now)!;
        var second = _correlator.Correlate(Event("Pulled", "image", name: "e2"), _now.AddMinutes(1))!;
        Assert.False(first.Repeated);
        Assert.True(second.Repeated);
        Assert.Equal(("e1", 2, _now), (second.Event.Metadata.Name, second.Event.Count, second.Event.FirstTimestamp));
    }

    [Fact]
    public void Correlate_OtherReasonObjectOrMessage_IsAnEventOfItsOwn()
    {
        _correlator.Correlate(Event("Pulled", "image"), _now);
        Assert.False(_correlator.Correlate(Event("Failed", "image"), _now)!.Repeated);
        Assert.False(_correlator.Correlate(Event("Pulled", "other"), _now)!.Repeated);
        Assert.False(_correlator.Correlate(Event("Pulled", "image", uid: "u2"), _now)!.Repeated);
    }

    [Fact]
    public void Correlate_TenAlikeButForTheMessage_AreFolded()
    {
        for (var i = 1; i < EventCorrelator.FoldAfter; i++)
        {
            Assert.Equal($"m{i}", _correlator.Correlate(Event("Failed", $"m{i}"), _now)!.Event.Message);
        }

        var tenth = _correlator.Correlate(Event("Failed", "m10"), _now)!;
        Assert.Equal("(combined from similar events): m10", tenth.Event.Message);
        Assert.False(tenth.Repeated);
        var eleventh = _correlator.Correlate(Event("Failed", "m11"), _now)!;
        Assert.True(eleventh.Repeated);
        Assert.Equal(2, eleventh.Event.Count);
    }

    [Fact]
    public void Correlate_AlikeButFarApart_AreNotFolded()
    {
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal($"m{i}", _correlator.Correlate(Event("Failed", $"m{i}"), _now)!.Event.Message);
            _now += EventCorrelator.FoldWithin + TimeSpan.FromSeconds(1);
        }
    }

    [Fact]
    public void Correlate_ChattyObject_IsSilencedAfterTheBurstAndHeardAgainLater()
    {
        var sent = Enumerable.Range(0, 100).Count(_ => _correlator.Correlate(Event("Failed", "m"), _now) is not null);
        Assert.Equal(25, sent);
        Assert.NotNull(_correlator.Correlate(Event("Failed", "m", uid: "u2"), _now));
        Assert.Null(_correlator.Correlate(Event("Failed", "m"), _now.AddSeconds(299)));
        Assert.NotNull(_correlator.Correlate(Event("Failed", "m"), _now.AddSeconds(301)));
        Assert.Null(_correlator.Correlate(Event("Failed", "m"), _now.AddSeconds(302)));
    }

    [Fact]
    public void LruTable_Full_ForgetsWhatWasNotUsedForLongest()
    {
        var table = new LruTable<int, string>(2);
        table.Set(1, "a");
        table.Set(2, "b");
        table.TryGet(1, out _);
        table.Set(3, "c");
        Assert.True(table.TryGet(1, out _));
        Assert.False(table.TryGet(2, out _));
        Assert.Equal(2, table.Count);
    }

    private CoreEvent Event(string reason, string message, string name = "e", string uid = "u1") => new()
    {
        Metadata = new ObjectMeta { Namespace = "a", Name = name },
        InvolvedObject = new ObjectReference { Kind = "Pod", Namespace = "a", Name = "p", Uid = uid },
        Source = new EventSource { Component = "test" },
        Type = "Normal",
        Reason = reason,
        Message = message,
        Count = 1,
        FirstTimestamp = _now,
        LastTimestamp = _now,
    };
}
