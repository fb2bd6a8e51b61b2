namespace Berth.Accounts;

/// <summary>
/// One flight per token, owner and manner in this process: whoever comes while it is under way gets its result. A flight has an end of its
/// own, and is forgotten whatever becomes of it, so that a provider that hangs does not leave one behind that everybody joins.
/// </summary>
internal sealed class Flights(TimeSpan deadline, TimeProvider clock, Action<Exception> report)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(Guid, PersonKey, bool), Task<FlightResult>> _flights = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _flights.Count;
            }
        }
    }

    /// <summary>Joins the flight, or starts it.</summary>
    /// <returns>Its result, and whether it was under way already.</returns>
    public (Task<FlightResult> Result, bool Joined) Join(
        Guid id, PersonKey owner, bool forced, Func<CancellationToken, Task<FlightResult>> start)
    {
        var key = (id, owner, forced);
        lock (_gate)
        {
            if (_flights.TryGetValue(key, out var under))
            {
                return (under, true);
            }

            // Begins on another thread: nothing of it runs under the lock.
            var flight = Task.Run(() => RunAsync(key, start));
            _flights[key] = flight;
            return (flight, false);
        }
    }

    /// <summary>Waits for all; for an orderly end.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            return Task.WhenAll(_flights.Values);
        }
    }

    private async Task<FlightResult> RunAsync((Guid, PersonKey, bool) key, Func<CancellationToken, Task<FlightResult>> start)
    {
        using var limit = new CancellationTokenSource(deadline, clock);
        try
        {
            return await start(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new FlightResult(AccessTokenOutcome.VaultUnavailable)
            {
                Detail = "Another replica works on the token and did not finish in time.",
                RetryAfter = TimeSpan.FromSeconds(2),
            };
        }
        catch (AccountsUnavailableException)
        {
            return new FlightResult(AccessTokenOutcome.VaultUnavailable)
            {
                Detail = "The vault's database cannot be reached.",
                RetryAfter = TimeSpan.FromSeconds(5),
            };
        }
        catch (Exception error)
        {
            // Whoever waits can do nothing with it; and nothing of a token is in it, since statements and answers carry none in their
            // texts.
            report(error);
            return new FlightResult(AccessTokenOutcome.VaultUnavailable) { Detail = "Something went wrong inside." };
        }
        finally
        {
            lock (_gate)
            {
                _flights.Remove(key);
            }
        }
    }
}
