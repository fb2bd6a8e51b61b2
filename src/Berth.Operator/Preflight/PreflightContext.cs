using System.Text.Json.Nodes;
using Kube.Client;

namespace Berth.Operator.Preflight;

/// <summary>What checks work with.</summary>
internal sealed class PreflightContext(
    PreflightPlan plan, IKubeClient client, IPreflightNetwork network, TimeProvider clock, CancellationToken cancellationToken)
{
    public PreflightPlan Plan => plan;

    public IPreflightNetwork Network => network;

    public TimeProvider Clock => clock;

    public CancellationToken CancellationToken => cancellationToken;

    /// <summary>Reads an object or a list; null when there is none.</summary>
    public async Task<JsonNode?> GetAsync(string path)
    {
        try
        {
            return JsonNode.Parse(await client.Raw.SendAsync(HttpMethod.Get, path, default, null, cancellationToken));
        }
        catch (KubeException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Creates an object.</summary>
    public async Task<JsonNode?> PostAsync(string path, JsonObject body) => JsonNode.Parse(await client.Raw.SendAsync(
        HttpMethod.Post, path, System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()), "application/json", cancellationToken));

    /// <summary>Removes an object, whatever becomes of the rest.</summary>
    public async Task DeleteAsync(string path)
    {
        try
        {
            await client.Raw.SendAsync(HttpMethod.Delete, path + "?gracePeriodSeconds=0", default, null, CancellationToken.None);
        }
        catch (KubeException e) when (e.IsNotFound)
        {
            // Gone already.
        }
    }
}

/// <summary>The network as this machine sees it.</summary>
internal interface IPreflightNetwork
{
    /// <summary>Addresses of a name; none when it is not known.</summary>
    Task<IReadOnlyList<string>> ResolveAsync(string host, CancellationToken cancellationToken);

    /// <summary>Asks an address.</summary>
    /// <param name="address">Which one.</param>
    /// <param name="ofCluster">Whether it is the cluster's API, whose authority the kubeconfig names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    Task<PreflightAnswer> GetAsync(Uri address, bool ofCluster, CancellationToken cancellationToken);
}

/// <summary>What an address answered.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body, or its beginning.</param>
/// <param name="Date">When the other side says it did so.</param>
internal sealed record PreflightAnswer(int Status, string Body, DateTimeOffset? Date);
