namespace Berth.Accounts.Tests.Vault;

public class RefreshMachineTests
{
    private static readonly VaultConnection Connection =
        new() { Name = "c", Issuer = "https://idp.example", ClientId = "berth", Scopes = ["openid"] };

    [Theory]
    [InlineData(3600, 60)]
    [InlineData(600, 60)]
    [InlineData(300, 30)]
    [InlineData(10, 1)]
    public void Margin_OfALife_IsAMinuteOrATenth(int life, int margin) =>
        Assert.Equal(TimeSpan.FromSeconds(margin), RefreshMachine.Margin(TimeSpan.FromSeconds(life)));

    [Theory]
    [InlineData(0, 60)]
    [InlineData(30, 60)]
    [InlineData(1800, 1800)]
    [InlineData(36000, 3240)]
    public void Needed_OfAnHour_IsBetweenTheMarginAndNineTenths(int minimum, int needed) =>
        Assert.Equal(TimeSpan.FromSeconds(needed), RefreshMachine.Needed(TimeSpan.FromHours(1), TimeSpan.FromSeconds(minimum)));

    [Theory]
    [InlineData(61, "Serve")]
    [InlineData(60, "Refresh")]
    [InlineData(0, "Refresh")]
    [InlineData(-100, "Refresh")]
    [InlineData(3602, "Refresh")]
    public void Next_ByWhatTheTokenLasts(int remaining, string step) =>
        Assert.Equal(step, Next(Row() with { AccessRemaining = TimeSpan.FromSeconds(remaining) }).Kind.ToString());

    [Fact]
    public void Next_NoRowOrAnotherOwner_IsNotFoundBeforeAnythingElse()
    {
        Assert.Equal(RefreshStepKind.NotFound, Next(null).Kind);
        Assert.Equal(RefreshStepKind.NotFound, Next(Row() with { Owner = VaultWorld.Bob, State = StoredTokenState.Revoked }).Kind);
    }

    [Fact]
    public void Next_EndedRows_AreTerminal()
    {
        Assert.Equal(RefreshStepKind.Revoked, Next(Row() with { State = StoredTokenState.Revoked }).Kind);
        Assert.Equal(
            new RefreshStep(RefreshStepKind.NeedsConsent, Cause: ReconsentCause.RotationLost),
            Next(Row() with { State = StoredTokenState.NeedsConsent, Cause = ReconsentCause.RotationLost }));
    }

    [Theory]
    [InlineData("https://other.example", "berth")]
    [InlineData("https://idp.example", "other")]
    public void Next_ConnectionOfAnotherProviderOrClient_NeedsConsent(string issuer, string client) => Assert.Equal(
        new RefreshStep(RefreshStepKind.NeedsConsent, Cause: ReconsentCause.ConnectionChanged),
        Next(Row() with { Issuer = issuer, ClientId = client }));

    [Fact]
    public void Next_LeaseOfAnother_WaitsForItAndServesWhatIsThere()
    {
        var leased = Row() with { LeaseRemaining = TimeSpan.FromSeconds(9) };

        Assert.Equal(RefreshStepKind.Serve, Next(leased).Kind);
        Assert.Equal(
            new RefreshStep(RefreshStepKind.Wait, TimeSpan.FromSeconds(9)), Next(leased with { AccessRemaining = TimeSpan.Zero }));
    }

    [Theory]
    [InlineData(5, 0, 5, 10, "Refresh")] // forced, nothing named: a version after the first read is wanted
    [InlineData(6, 0, 5, 10, "Serve")]
    [InlineData(5, 5, 5, 10, "Refresh")] // the refused one is what is there
    [InlineData(6, 5, 6, 10, "Serve")] // somebody has refreshed since
    [InlineData(5, 5, 5, 4, "Serve")] // too young to be refreshed by force
    public void Next_Forced_OneRefreshForAllWhoSawTheSameRefusal(long version, long rejected, long first, int age, string step)
    {
        var row = Row() with { Version = version, SinceRefresh = TimeSpan.FromSeconds(age) };

        Assert.Equal(step, Next(row, new() { ForceRefresh = true, Rejected = rejected }, first).Kind.ToString());
    }

    [Theory]
    [InlineData("Tokens", "Commit")]
    [InlineData("InvalidGrant", "Reread")]
    [InlineData("NotDone", "BackOff")]
    [InlineData("Unknown", "BackOffUnanswered")]
    [InlineData("Refused", "Complain")]
    public void After_EachAnswer_HasOneStep(string answer, string step) =>
        Assert.Equal(step, RefreshMachine.After(Enum.Parse<TokenAnswerKind>(answer)).ToString());

    [Fact]
    public void BackOff_Doubles_UpToTheLongestWithJitterAndHeedsTheProvider()
    {
        var clock = new Testing.FakeTimeProvider();
        var waits = new BackOffs(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), clock);
        var id = Guid.NewGuid();
        for (var failure = 0; failure < 12; failure++)
        {
            var full = Math.Min(60, Math.Pow(2, failure));
            Assert.InRange(waits.Fail(id, null, "x", false).TotalSeconds, full / 2, full);
        }

        Assert.Equal(TimeSpan.FromSeconds(200), waits.Fail(id, TimeSpan.FromSeconds(200), "x", false));
        clock.Advance(TimeSpan.FromSeconds(199));
        Assert.NotNull(waits.Find(id));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(waits.Find(id));
        waits.Clear(id);
        Assert.InRange(waits.Fail(id, null, "x", false).TotalSeconds, 0.5, 1);
    }

    private static VaultRow Row() => new()
    {
        Id = Guid.NewGuid(),
        Owner = VaultWorld.Ann,
        Connection = "c",
        Issuer = "https://idp.example",
        ClientId = "berth",
        Scope = "openid",
        Purpose = "",
        State = StoredTokenState.Active,
        Version = 5,
        AccessToken = [1],
        AccessRemaining = TimeSpan.FromSeconds(600),
        AccessLifetime = TimeSpan.FromHours(1),
        CreatedAt = default,
        RefreshedAt = default,
    };

    private static RefreshStep Next(VaultRow? row, AccessTokenRequest request = default, long first = 5) =>
        RefreshMachine.Next(row, VaultWorld.Ann, request, first, Connection, TimeSpan.FromSeconds(5));
}
