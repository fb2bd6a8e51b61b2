using System.Globalization;

namespace Berth.Edge;

/// <summary>Which deployment is asked, and with what.</summary>
internal sealed record SelfCheckTarget
{
    /// <summary>Origin of the edge.</summary>
    public required Uri Edge { get; init; }

    /// <summary>Address of a workspace, or null.</summary>
    public Uri? Workspace { get; init; }

    /// <summary>Access token, or null.</summary>
    public string? Token { get; init; }

    /// <summary>Cookie header for the edge, or null.</summary>
    public string? Cookie { get; init; }

    /// <summary>Cookie header for the workspace, or null.</summary>
    public string? WorkspaceCookie { get; init; }

    /// <summary>Host and port to connect to instead of what the addresses say; null for those.</summary>
    public (string Host, int Port)? Connect { get; init; }

    /// <summary>Whether a certificate that nobody vouches for is taken.</summary>
    public bool Insecure { get; init; }

    /// <summary>How long one answer may take. The default is 5 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether it has what a check needs.</summary>
    public SelfCheckNeeds Missing(SelfCheckNeeds needs) => needs & ~(
        (Token is null ? 0 : SelfCheckNeeds.Token) | (Workspace is null ? 0 : SelfCheckNeeds.Workspace)
        | (Cookie is null ? 0 : SelfCheckNeeds.Cookie) | (WorkspaceCookie is null ? 0 : SelfCheckNeeds.WorkspaceCookie));

    /// <summary>Reads an address; null when it is not http(s), or has a user, a query or a fragment.</summary>
    public static Uri? Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0 ? uri : null;

    /// <summary>Reads <c>host:port</c>; null when it is not that.</summary>
    public static (string Host, int Port)? HostAndPort(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= 65535 ? (text[..colon].Trim('[', ']'), port) : null;
    }
}
