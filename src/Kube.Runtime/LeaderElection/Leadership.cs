namespace Kube.Runtime;

/// <summary>A term as leader.</summary>
/// <param name="Identity">Who leads.</param>
/// <param name="Epoch">
/// Number of this term (the Lease's <c>leaseTransitions</c>): grows with each change of leader. Stamp it into what you write outside the
/// API and refuse lower ones.
/// </param>
/// <param name="Token">
/// Cancelled when the term ends, at the latest at the renew deadline and so before anybody else can lead. Every write of a leader must use
/// it.
/// </param>
public sealed record Leadership(string Identity, long Epoch, CancellationToken Token);
