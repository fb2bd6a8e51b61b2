using System.Collections.Immutable;
using System.Net;

namespace Berth.Edge.Tests;

public class LimitPolicyTests
{
    private static readonly ImmutableArray<IPNetwork> Proxies = [IPNetwork.Parse("10.42.0.0/16"), IPNetwork.Parse("fd00::/8")];

    [Theory]
    [InlineData("Edge", "/", "Address")]
    [InlineData("Edge", "/api/workspaces", "Address")]
    [InlineData("Edge", "/login", "SignIn Address")]
    [InlineData("Edge", "/LogIn/", "SignIn Address")]
    [InlineData("Edge", "/auth/callback", "SignIn Address")]
    [InlineData("Edge", "/Auth/Callback/keycloak", "SignIn Address")]
    [InlineData("Edge", "/auth/frontchannel-logout", "SignIn Address")]
    [InlineData("Edge", "/auth/backchannel-logout", "Address")]
    [InlineData("Edge", "/auth/workspace", "Address")]
    [InlineData("Edge", "/logins", "Address")]
    [InlineData("Workspace", "/login", "Address")]
    [InlineData("Unknown", "/login", "Address")]
    public void OnArrival_PlaceAndPath_SayWhatCounts(string kind, string path, string expected) =>
        Assert.Equal(expected, Names(LimitPolicy.OnArrival(Request(Enum.Parse<HostKind>(kind), path), Proxies)));

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9", true)]
    [InlineData("203.0.113.9", "::ffff:203.0.113.9", true)]
    [InlineData("203.0.113.9", "203.0.113.10", false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void NetworkOf_Addresses_CountAsOneOrNot(string first, string second, bool same)
    {
        var network = LimitPolicy.NetworkOf(IPAddress.Parse(first), Proxies);

        Assert.NotNull(network);
        Assert.Equal(same, network == LimitPolicy.NetworkOf(IPAddress.Parse(second), Proxies));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.5.5.5")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("10.42.7.7")]
    [InlineData("::ffff:10.42.7.7")]
    [InlineData("fd00::5")]
    public void OnArrival_AddressThatSaysNothingOfTheClient_CountsNothing(string address)
    {
        var request = Request(HostKind.Edge, "/login", address);

        Assert.Empty(LimitPolicy.OnArrival(request, Proxies));
        Assert.Empty(LimitPolicy.OnRefusedCredential(request, Proxies));
        Assert.Empty(LimitPolicy.OnUnreadable(request.ClientAddress, Proxies));
    }

    [Fact]
    public void OnRefusedCredential_AnyPlace_CountsAsASignIn()
    {
        Assert.Equal("SignIn", Names(LimitPolicy.OnRefusedCredential(Request(HostKind.Workspace, "/"), Proxies)));
        Assert.Equal("SignIn", Names(LimitPolicy.OnRefusedCredential(Request(HostKind.Edge, "/auth/backchannel-logout"), Proxies)));
        Assert.Equal("Address", Names(LimitPolicy.OnUnreadable(IPAddress.Parse("203.0.113.9"), Proxies)));
    }

    [Theory]
    [InlineData("Edge", "/api/me", "Person")]
    [InlineData("Edge", "/dashboard", "Person")]
    [InlineData("Edge", "/assets/berth.css", "")]
    [InlineData("Workspace", "/", "")]
    public void OnCaller_PlaceAndPath_SayWhatCounts(string kind, string path, string expected)
    {
        var subjects = LimitPolicy.OnCaller(Request(Enum.Parse<HostKind>(kind), path), Person("user1"));

        Assert.Equal(expected, Names(subjects));
        Assert.All(subjects, s => Assert.Equal(("https://idp.test", "user1"), (s.First, s.Second)));
    }

    [Theory]
    [InlineData(false, false, "WorkspaceRequests Workspace")]
    [InlineData(true, false, "PersonWebSockets WorkspaceWebSockets Workspace")]
    [InlineData(false, true, "Workspace")]
    [InlineData(true, true, "Workspace")]
    public void OnForwarding_KindAndWay_SayWhatCounts(bool upgrade, bool byProxy, string expected)
    {
        var entry = EdgeFixture.Entry("ws-one.localhost", "https://idp.test", "user1", 80);
        var request = Request(HostKind.Workspace, "/") with { IsUpgrade = upgrade };

        var subjects = LimitPolicy.OnForwarding(request, new WorkspaceAccess(entry, Person("user2"), "use"), byProxy);

        Assert.Equal(expected, Names(subjects));
        Assert.All(subjects.Where(s => s.Limit != EdgeLimit.PersonWebSockets), s => Assert.Equal(("berth", "ws-one"), (s.First, s.Second)));
        Assert.All(subjects.Where(s => s.Limit == EdgeLimit.PersonWebSockets), s => Assert.Equal("user2", s.Second));
    }

    [Fact]
    public void SlotOf_AnyNumberOfNetworks_StaysBelowItsBound()
    {
        var slots = Enumerable.Range(0, 300_000).Select(i => RequestLimits.SlotOf((ulong)i << 32)).ToHashSet();

        Assert.All(slots, s => Assert.InRange(s, 0, RequestLimits.Slots - 1));
        Assert.True(slots.Count > RequestLimits.Slots / 2, "networks are spread");
    }

    private static string Names(ImmutableArray<LimitSubject> subjects) => string.Join(' ', subjects.Select(s => s.Limit));

    private static Caller Person(string subject) => new()
    {
        Kind = CallerKind.Session,
        Issuer = "https://idp.test",
        Subject = subject,
        ExpiresAt = DateTimeOffset.MaxValue,
    };

    private static CanonicalRequest Request(HostKind kind, string path, string address = "203.0.113.9") => new()
    {
        Scheme = "https",
        Host = "x.test",
        HostKind = kind,
        Path = path,
        Query = "",
        ClientAddress = IPAddress.Parse(address),
        IsUpgrade = false,
        IsNavigation = true,
    };
}
