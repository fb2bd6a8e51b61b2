using System.Net;

namespace Kube.Client.Http;

/// <summary>How a try ended.</summary>
/// <param name="Status">Status code, or null when there was no answer.</param>
/// <param name="RetryAfter">What the server asked for.</param>
/// <param name="Retryable">For a try without answer: whether the failure may pass by itself.</param>
internal readonly record struct TryOutcome(HttpStatusCode? Status, TimeSpan? RetryAfter, bool Retryable);

/// <summary>Whether and when a request is repeated: a pure function of what happened.</summary>
internal static class RetryPolicy
{
    /// <summary>The wait before the next try, or null to give up.</summary>
    /// <param name="idempotent">Reads and apply patches; nothing else is ever repeated, because the first try may have been done.</param>
    /// <param name="tries">Tries made so far, at least 1.</param>
    /// <param name="outcome">How the last one ended.</param>
    /// <param name="jitter">Random in [0, 1).</param>
    /// <param name="options">Bounds.</param>
    public static TimeSpan? NextWait(bool idempotent, int tries, TryOutcome outcome, double jitter, KubeClientOptions options)
    {
        if (!idempotent || tries >= options.MaxTries || !MayPass(outcome))
        {
            return null;
        }

        if (outcome.RetryAfter is { } asked)
        {
            return asked <= options.MaxRetryDelay ? asked : null;
        }

        var ceiling = Math.Min(options.RetryDelay.TotalMilliseconds * Math.Pow(2, tries - 1), options.MaxRetryDelay.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(ceiling * (0.5 + (jitter / 2)));
    }

    private static bool MayPass(TryOutcome outcome) => outcome.Status switch
    {
        null => outcome.Retryable,
        HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway
            or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => true,
        _ => false,
    };
}
