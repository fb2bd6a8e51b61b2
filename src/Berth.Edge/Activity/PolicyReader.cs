using Berth.Resources;
using Kube.Client;

namespace Berth.Edge;

/// <summary>
/// The installation's policy as far as this edge may read it. Asked for once a minute rather than watched: the edge needs the right to read
/// one object, and works without it.
/// </summary>
internal sealed partial class PolicyReader(
    IKubeClient client, WorkspaceOptions options, TimeProvider clock, ILogger<PolicyReader> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private long? _readAt;
    private int _lastCode;

    /// <summary>How long workspaces run; null where there is no policy, or none that can be read.</summary>
    public PolicyLifetime? Lifetime { get; private set; }

    /// <summary>Reads it when a minute has passed. What was known stays while the API does not answer.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (_readAt is { } at && clock.GetElapsedTime(at) < Interval)
        {
            return;
        }

        try
        {
            var policy = await client.TryGetAsync<BerthPolicy>(null, options.PolicyName, cancellationToken).ConfigureAwait(false);
            Lifetime = policy?.Spec.Lifetime;
            _lastCode = 0;
        }
        catch (KubeException error) when (error.Code is >= 400 and < 500)
        {
            // Not permitted, or a kind that is not installed: the operator has defaults for that, and so have we.
            if (_lastCode != error.Code)
            {
                LogNotReadable(options.PolicyName, error.Message);
            }

            _lastCode = error.Code;
            Lifetime = null;
        }

        _readAt = clock.GetTimestamp();
    }

    [LoggerMessage(5604, LogLevel.Information,
        "The BerthPolicy '{Name}' cannot be read, defaults are taken for how often use is written and how long holds last: {Reason}")]
    private partial void LogNotReadable(string name, string reason);
}
