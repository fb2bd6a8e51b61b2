using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>What to do about the age of a session's claims.</summary>
internal enum RefreshNeed
{
    /// <summary>They are young.</summary>
    None,

    /// <summary>Renew them beside the request: they count yet.</summary>
    Soon,

    /// <summary>Renew them before the request is decided: they count no more.</summary>
    Now,
}

/// <summary>When claims are renewed. Pure functions.</summary>
internal static class RefreshPlan
{
    // Renewed between 60 and 80 % of their time: early enough to be done in time, spread so that those who signed in together, at nine
    // o'clock, do not come back together.
    private const double Earliest = 0.6;
    private const double Spread = 0.2;

    /// <summary>Age up to which another replica's token is as good as a new one.</summary>
    public static TimeSpan YoungerThan(TimeSpan after) => after * Earliest;

    /// <summary>Age at which a session's claims are renewed: the same on every replica.</summary>
    public static TimeSpan EarlyAfter(string sessionId, TimeSpan after) =>
        after * (Earliest + (Spread * SHA256.HashData(Encoding.UTF8.GetBytes(sessionId))[0] / 256.0));

    /// <summary>Decides.</summary>
    public static RefreshNeed Decide(string sessionId, TimeSpan age, TimeSpan after) =>
        age >= after ? RefreshNeed.Now : age >= EarlyAfter(sessionId, after) ? RefreshNeed.Soon : RefreshNeed.None;
}
