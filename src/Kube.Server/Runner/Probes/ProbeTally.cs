namespace Kube.Server.Runner.Probes;

/// <summary>Counts results until a threshold is reached. Starts with no verdict.</summary>
internal sealed class ProbeTally(int successThreshold, int failureThreshold)
{
    private int _run;
    private bool _last;

    /// <summary>The verdict in force; null before the first threshold is reached.</summary>
    public bool? Verdict { get; private set; }

    /// <summary>Counts a result. True when a threshold is reached by it: also again and again while results go on the same way.</summary>
    public bool Add(bool success)
    {
        _run = success == _last ? _run + 1 : 1;
        _last = success;
        if (_run < (success ? successThreshold : failureThreshold))
        {
            return false;
        }

        Verdict = success;
        return true;
    }

    /// <summary>Begins anew, as for a new run of the container.</summary>
    public void Reset()
    {
        _run = 0;
        Verdict = null;
    }
}
