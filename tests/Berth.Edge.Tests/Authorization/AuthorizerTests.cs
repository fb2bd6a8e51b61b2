namespace Berth.Edge.Tests;

public class AuthorizerTests
{
    private const string Issuer = "https://idp.example.test";
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(Issuer, "owner", false, "GET", false, "Allow", "owner")]
    [InlineData(Issuer, "owner", false, "GET", true, "Allow", "owner")]
    [InlineData(Issuer, "owner", true, "POST", false, "Allow", "owner")]
    [InlineData("https://other.example.test", "owner", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "Owner", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "stranger", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "stranger", false, "GET", true, "Forbidden", null)]
    [InlineData(Issuer, "stranger", true, "GET", true, "Allow", "admin")]
    [InlineData(Issuer, "user", false, "POST", true, "Allow", "use")]
    [InlineData("https://other.example.test", "user", false, "GET", false, "Forbidden", null)]
    [InlineData("https://other.example.test", "guest", false, "GET", false, "Allow", "use")]
    [InlineData(Issuer, "guest", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "viewer", false, "GET", false, "Allow", "view")]
    [InlineData(Issuer, "viewer", false, "HEAD", false, "Allow", "view")]
    [InlineData(Issuer, "viewer", false, "POST", false, "Forbidden", null)]
    [InlineData(Issuer, "viewer", false, "GET", true, "Forbidden", null)]
    [InlineData(Issuer, "both", false, "POST", false, "Allow", "use")]
    [InlineData(Issuer, "ended", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "ends-now", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "ends-later", false, "GET", true, "Allow", "use")]
    [InlineData(Issuer, "would-be-owner", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "would-be-admin", false, "GET", false, "Forbidden", null)]
    [InlineData(Issuer, "malformed", false, "GET", false, "Forbidden", null)]
    public void Decide_KnownCaller_FollowsTheTable(string issuer, string subject, bool admin, string method, bool upgrade, string kind,
        string? role)
    {
        var decision = Authorizer.Decide(Caller(issuer, subject, admin), Workspace, new AccessRequest(method, upgrade), Now);

        Assert.Equal((kind, role), (decision.Kind.ToString(), decision.Role));
    }

    [Fact]
    public void Decide_Stranger_HasToSignInWhetherOrNotTheWorkspaceExists()
    {
        Assert.Equal(AccessKind.SignIn, Authorizer.Decide(null, Workspace, AccessRequest.Page, Now).Kind);
        Assert.Equal(AccessKind.SignIn, Authorizer.Decide(null, null, AccessRequest.Page, Now).Kind);
    }

    [Fact]
    public void Decide_ExpiredCaller_HasToSignIn() =>
        Assert.Equal(AccessKind.SignIn,
            Authorizer.Decide(Caller(Issuer, "owner", true) with { ExpiresAt = Now }, Workspace, AccessRequest.Page, Now).Kind);

    [Fact]
    public void Decide_NoWorkspace_IsNotFoundEvenForAdministrators() =>
        Assert.Equal(AccessKind.NotFound, Authorizer.Decide(Caller(Issuer, "stranger", true), null, AccessRequest.Page, Now).Kind);

    [Theory]
    [InlineData("ended", "ShareEnded")]
    [InlineData("viewer", "ReadOnly")]
    [InlineData("stranger", "NotShared")]
    public void Decide_Forbidden_SaysWhy(string subject, string reason) =>
        Assert.Equal(reason,
            Authorizer.Decide(Caller(Issuer, subject, false), Workspace, new AccessRequest("POST", false), Now).Reason.ToString());

    [Fact]
    public void Decide_ShareWithAnEnd_CarriesIt() =>
        Assert.Equal(Now.AddHours(1), Authorizer.Decide(Caller(Issuer, "ends-later", false), Workspace, AccessRequest.Page, Now).Until);

    private static WorkspaceEntry Workspace { get; } = EdgeFixture.Entry("ws-x.localhost", Issuer, "owner", 1) with
    {
        Shares =
        [
            new("user", null, "use", null),
            new("guest", "https://other.example.test", "use", null),
            new("viewer", null, "view", null),
            new("both", null, "view", null),
            new("both", null, "use", null),
            new("ended", null, "use", Now.AddSeconds(-1)),
            new("ends-now", null, "use", Now),
            new("ends-later", null, "use", Now.AddHours(1)),
            new("would-be-owner", null, "owner", null),
            new("would-be-admin", null, "admin", null),
            new("malformed", null, "use\r\nX-A: b", null),
        ],
    };

    private static Caller Caller(string issuer, string subject, bool admin) => new()
    {
        Kind = CallerKind.Session,
        Issuer = issuer,
        Subject = subject,
        IsAdministrator = admin,
        SessionId = "s",
        ExpiresAt = Now.AddHours(2),
    };
}
