using System.Runtime.CompilerServices;

namespace Kube.Client;

/// <summary>What can be said in terms of <see cref="IKubeClient"/> alone.</summary>
public static class KubeClientExtensions
{
    /// <summary>
    /// Page size of client-go's pager: large enough to be few requests, small enough for the server to answer from memory.
    /// </summary>
    private const int PageSize = 500;

    /// <summary>All objects of a list, page by page as they are consumed, all from one version of the collection.</summary>
    /// <exception cref="KubeException">Also with <see cref="KubeException.IsExpired"/>, when the pages take so long that the version is
    /// gone (5 min by default): list anew.</exception>
    public static async IAsyncEnumerable<T> ListAllAsync<T>(
        this IKubeClient client,
        string? ns,
        ListOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
        where T : class, IKubeResource<T>
    {
        ArgumentNullException.ThrowIfNull(client);
        var next = (options ?? new()) with { Limit = options?.Limit ?? PageSize };
        while (true)
        {
            var page = await client.ListPageAsync<T>(ns, next, cancellationToken);
            foreach (var item in page.Items)
            {
                yield return item;
            }

            if (string.IsNullOrEmpty(page.Metadata.Continue))
            {
                yield break;
            }

            // The token carries the version; giving one as well is refused.
            next = next with
            {
                Continue = page.Metadata.Continue,
                ResourceVersion = null,
            };
        }
    }
}
