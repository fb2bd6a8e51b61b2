using Kube.Client;

namespace Berth.Operator.Tests;

/// <summary>A request on its way to the API.</summary>
/// <param name="Verb">get, list, sync (the list of an informer), create, replace, status, patch, apply or delete.</param>
/// <param name="Kind">Kind of the object.</param>
/// <param name="Key">The object; of a list the namespace.</param>
internal sealed record Request(string Verb, ResourceDescriptor Kind, ResourceKey Key)
{
    internal bool IsWrite => Verb is not ("get" or "list" or "sync");

    public override string ToString() => $"{Verb} {Kind.Plural} {Key.Name}";
}

/// <summary>What becomes of a request.</summary>
internal enum Fate
{
    /// <summary>It is done and answered.</summary>
    Answered,

    /// <summary>It never arrives; the caller gets no answer.</summary>
    Lost,

    /// <summary>It is done, and the answer is lost.</summary>
    AnswerLost,

    /// <summary>409 Conflict, nothing is done.</summary>
    Conflict,

    /// <summary>403, as an admission policy says no; nothing is done.</summary>
    Refused,

    /// <summary>500, nothing is done.</summary>
    Internal,

    /// <summary>429, nothing is done.</summary>
    TooMany,

    /// <summary>It stays under way until <see cref="Wire.Release"/>.</summary>
    Held,

    /// <summary>The process ends before it is sent.</summary>
    KilledBefore,

    /// <summary>It is done, and the process ends before the answer.</summary>
    KilledAfter,
}

/// <summary>The way from one process to the API: decides the fate of each request, and ends with the process.</summary>
internal sealed class Wire(Action<Wire?> acting)
{
    private readonly List<(Request Request, Action<Fate> Answer)> _held = [];

    /// <summary>Decides; by default all is answered.</summary>
    internal Func<Request, Fate> Plan { get; set; } = static _ => Fate.Answered;

    /// <summary>Told of each request that is sent, before anything becomes of it.</summary>
    internal Action<Request>? Sending { get; set; }

    /// <summary>The process has ended: nothing comes back to it.</summary>
    internal bool IsDead { get; private set; }

    internal int Writes { get; private set; }

    internal IReadOnlyList<Request> Held => [.. _held.Select(h => h.Request)];

    internal List<IFeed> Feeds { get; } = [];

    internal void Kill() => IsDead = true;

    /// <summary>Decides about a request that is under way; one of a process that has ended may still arrive.</summary>
    internal void Release(int index, Fate fate)
    {
        var (_, answer) = _held[index];
        _held.RemoveAt(index);
        answer(fate);
    }

    internal Task<T> SendAsync<T>(Request request, Func<T> effect)
    {
        var answer = new TaskCompletionSource<T>();
        if (IsDead)
        {
            return answer.Task;
        }

        Writes += request.IsWrite ? 1 : 0;
        Sending?.Invoke(request);
        Decide(Plan(request));
        return answer.Task;

        void Decide(Fate fate)
        {
            switch (fate)
            {
                case Fate.Held:
                    _held.Add((request, Decide));
                    return;
                case Fate.KilledBefore:
                    Kill();
                    return;
                case Fate.Lost:
                    Fail(ApiErrors.NoAnswer());
                    return;
                case Fate.Conflict when request.IsWrite:
                    Fail(ApiErrors.Conflict(request.Kind, request.Key.Name));
                    return;
                case Fate.Refused:
                    Fail(ApiErrors.Forbidden("an admission policy of the simulation says no"));
                    return;
                case Fate.Internal or Fate.Conflict:
                    Fail(ApiErrors.Internal());
                    return;
                case Fate.TooMany:
                    Fail(ApiErrors.TooMany());
                    return;
            }

            try
            {
                var result = Do(effect);
                if (fate == Fate.KilledAfter)
                {
                    Kill();
                }
                else if (fate == Fate.AnswerLost)
                {
                    Fail(ApiErrors.NoAnswer());
                }
                else if (!IsDead)
                {
                    answer.SetResult(result);
                }
            }
            catch (KubeException e)
            {
                Fail(e);
            }
        }

        void Fail(KubeException e)
        {
            if (!IsDead)
            {
                answer.SetException(e);
            }
        }
    }

    private T Do<T>(Func<T> effect)
    {
        acting(this);
        try
        {
            return effect();
        }
        finally
        {
            acting(null);
        }
    }
}
