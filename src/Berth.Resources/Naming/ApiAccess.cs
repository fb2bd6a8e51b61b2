namespace Berth.Resources;

/// <summary>What operator and edge agree on so that programs in workspaces can call APIs through the edge.</summary>
public static class ApiAccess
{
    /// <summary>
    /// Audience of a workspace's own token (a projected service account token). The API server does not accept it for itself, and the edge
    /// accepts no other.
    /// </summary>
    public const string Audience = "berth-edge";

    /// <summary>
    /// Life of the token in seconds: half an hour. The kubelet renews it when four fifths are over; ten minutes is the least that the API
    /// gives, and an hour the most that the edge accepts.
    /// </summary>
    public const long LifetimeSeconds = 1800;

    /// <summary>Variable with the URL that calls go to: a connection's name follows it.</summary>
    public const string UrlVariable = "BERTH_PROXY_URL";

    /// <summary>Variable with the path of the token's file. Its content changes: it is read anew for each call.</summary>
    public const string TokenFileVariable = "BERTH_TOKEN_FILE";
}
