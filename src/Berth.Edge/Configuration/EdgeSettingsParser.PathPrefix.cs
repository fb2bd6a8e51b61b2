namespace Berth.Edge;

/// <summary>Path-prefix mode.</summary>
internal sealed partial class EdgeSettingsParser
{
    // Pages of workspaces must not be of the edge's origin: they could use its API and pages in the name of whoever opens them.
    private void OwnHost(string? edgeHost, string domain)
    {
        if (domain == edgeHost)
        {
            Problem("WorkspaceDomain", $"is the host of PublicOrigin ({edgeHost}), and PathPrefix is on: the pages of workspaces could "
                + "act as the edge's own. Give a second host name that leads to the same edge, "
                + "best one of another domain; one name is enough, no wildcard");
        }
    }
}
