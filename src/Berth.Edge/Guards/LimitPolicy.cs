using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Berth.Edge;

/// <summary>What can be too much.</summary>
internal enum EdgeLimit
{
    /// <summary>Everything from an address.</summary>
    Address,

    /// <summary>Sign-ins, and refused credentials, from an address.</summary>
    SignIn,

    /// <summary>API and pages of a person.</summary>
    Person,

    /// <summary>Requests to a workspace.</summary>
    Workspace,

    /// <summary>Requests to a workspace at the same time.</summary>
    WorkspaceRequests,

    /// <summary>Open WebSockets of a person.</summary>
    PersonWebSockets,

    /// <summary>Open WebSockets to a workspace.</summary>
    WorkspaceWebSockets,
}

/// <summary>A limit and whom it is counted for: a network, or a name of two parts (issuer and subject, namespace and workspace).</summary>
internal readonly record struct LimitSubject(EdgeLimit Limit, ulong Network, string? First = null, string? Second = null);

/// <summary>Which limits a request counts for, at each point where more is known about it. Nothing is counted here.</summary>
internal static class LimitPolicy
{
    /// <summary>On arrival, when only the address is known.</summary>
    public static ImmutableArray<LimitSubject> OnArrival(CanonicalRequest request, ImmutableArray<IPNetwork> trustedProxies)
    {
        if (NetworkOf(request.ClientAddress, trustedProxies) is not { } network)
        {
            return [];
        }

        return IsSignIn(request)
            ? [new LimitSubject(EdgeLimit.SignIn, network), new LimitSubject(EdgeLimit.Address, network)]
            : [new LimitSubject(EdgeLimit.Address, network)];
    }

    /// <summary>When nothing of the request can be relied on but where it came from.</summary>
    public static ImmutableArray<LimitSubject> OnUnreadable(IPAddress peer, ImmutableArray<IPNetwork> trustedProxies) =>
        NetworkOf(peer, trustedProxies) is { } network ? [new LimitSubject(EdgeLimit.Address, network)] : [];

    /// <summary>
    /// When the credentials of a request were refused. Good ones cost nothing: a provider that signs a thousand people out is heard, and
    /// nobody is locked out by a neighbour who guesses.
    /// </summary>
    public static ImmutableArray<LimitSubject> OnRefusedCredential(CanonicalRequest request, ImmutableArray<IPNetwork> trustedProxies) =>
        NetworkOf(request.ClientAddress, trustedProxies) is { } network ? [new LimitSubject(EdgeLimit.SignIn, network)] : [];

    /// <summary>On the edge's own origin, when the caller is known.</summary>
    public static ImmutableArray<LimitSubject> OnCaller(CanonicalRequest request, Caller caller) =>
        request.HostKind != HostKind.Edge || request.Path.StartsWith("/assets/", StringComparison.OrdinalIgnoreCase)
            ? []
            : [new LimitSubject(EdgeLimit.Person, 0, caller.Issuer, caller.Subject)];

    /// <summary>When a request is about to be forwarded.</summary>
    /// <param name="request">The request.</param>
    /// <param name="access">Who may use what.</param>
    /// <param name="byProxy">Whether a proxy forwards it that only asked: then nobody here knows how long it lasts.</param>
    public static ImmutableArray<LimitSubject> OnForwarding(CanonicalRequest request, WorkspaceAccess access, bool byProxy)
    {
        var (workspace, caller) = (access.Workspace, access.Caller);
        var rate = Of(EdgeLimit.Workspace, workspace);
        if (byProxy)
        {
            return [rate];
        }

        // Places first: who finds none has used nothing of the rate.
        return request.IsUpgrade
            ? [new LimitSubject(EdgeLimit.PersonWebSockets, 0, caller.Issuer, caller.Subject),
                Of(EdgeLimit.WorkspaceWebSockets, workspace), rate]
            : [Of(EdgeLimit.WorkspaceRequests, workspace), rate];
    }

    /// <summary>
    /// The network an address is counted as: all of IPv4, the /64 of IPv6. Null for one that says nothing about the client: loopback, and a
    /// proxy of ours that named nobody behind it.
    /// </summary>
    public static ulong? NetworkOf(IPAddress address, ImmutableArray<IPNetwork> trustedProxies)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (IPAddress.IsLoopback(address) || trustedProxies.Any(n => n.Contains(address)))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);

        // Below 2^32 there are no IPv6 networks that anybody is given.
        return address.AddressFamily == AddressFamily.InterNetwork
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    // As routing reads paths: whatever the case, and with a slash at the end or without.
    private static bool IsSignIn(CanonicalRequest request)
    {
        if (request.HostKind != HostKind.Edge)
        {
            return false;
        }

        var path = request.Path.TrimEnd('/');
        return Is(path, "/login") || Is(path, ProviderLogoutEndpoint.FrontChannelPath) || Is(path, LoginEndpoint.CallbackPath)
            || path.StartsWith(LoginEndpoint.CallbackPath + "/", StringComparison.OrdinalIgnoreCase);
    }

    private static bool Is(string path, string route) => path.Equals(route, StringComparison.OrdinalIgnoreCase);

    private static LimitSubject Of(EdgeLimit limit, WorkspaceEntry workspace) => new(limit, 0, workspace.Namespace, workspace.Name);
}
