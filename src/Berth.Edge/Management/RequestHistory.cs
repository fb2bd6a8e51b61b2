namespace Berth.Edge;

/// <summary>The last requests of this replica, in memory and bounded; refusals are kept longer than what went well.</summary>
/// <remarks>
/// Two rings: a flood of one sort does not drive out the other. Looking one up reads them all, which an administrator does now and then.
/// What went well is copied (<see cref="SuccessRing"/>): thousands of records that live for a second would be carried on by each garbage
/// collection, and its pause is a wait for everybody (measured: 4 ms instead of less than one).
/// </remarks>
internal sealed class RequestHistory(int successes = RequestHistory.Successes, int refusals = RequestHistory.Refusals)
{
    /// <summary>How many that went well are kept.</summary>
    public const int Successes = 4096;

    /// <summary>How many refusals are kept.</summary>
    public const int Refusals = 8192;

    private readonly SuccessRing _successes = new(successes);
    private readonly RequestRecord?[] _refusals = new RequestRecord?[refusals];
    private long _lastRefusal = -1;

    /// <summary>Enters a request.</summary>
    public void Add(RequestRecord record)
    {
        if (record.Status >= 400 || record.Notes is not null)
        {
            _refusals[Interlocked.Increment(ref _lastRefusal) % _refusals.Length] = record;
        }
        else
        {
            _successes.Add(record);
        }
    }

    /// <summary>Looks one up; null when it is forgotten or never was.</summary>
    public RequestRecord? Find(string id) => Array.Find(_refusals, r => r?.Id == id) ?? _successes.Find(id);
}
