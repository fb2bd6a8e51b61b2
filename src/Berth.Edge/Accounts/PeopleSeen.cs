using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// Tells the store of people who come with access tokens and never sign in here, so that they can be listed and disabled. Once an hour and
/// person in this process, and nothing waits for it.
/// </summary>
internal sealed class PeopleSeen(IAccountStore accounts, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    // So many people may come within the hour; the rest of them are told of more often, which the store puts up with.
    private readonly OneTimeIds _told = new(clock, Interval, 100_000);

    /// <summary>Somebody came with a good token.</summary>
    public void Note(Caller caller)
    {
        // Lengths before the parts: no two people are one. The store keeps no NUL.
        if (!caller.Issuer.Contains('\0') && !caller.Subject.Contains('\0')
            && _told.TryUse($"{caller.Issuer.Length}:{caller.Issuer}{caller.Subject}"))
        {
            accounts.SeePerson(
                new SeenPerson(new PersonKey(caller.Issuer, caller.Subject), caller.Email, caller.Name, clock.GetUtcNow()));
        }
    }
}
