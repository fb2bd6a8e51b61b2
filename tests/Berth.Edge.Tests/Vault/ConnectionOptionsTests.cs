using System.Collections.Immutable;

namespace Berth.Edge.Tests.Vault;

public class ConnectionOptionsTests
{
    [Fact]
    public void Parse_ProviderOfTheEdge_TakesItsClient()
    {
        var settings = Parse(new() { Provider = "main", Scopes = ["offline_access"], Audience = "https://api.example" }, out var problems);

        Assert.Empty(problems);
        Assert.Equal(("https://login.example", "berth", "main-secret"),
            (settings!.Vault.Issuer, settings.Vault.ClientId, settings.Vault.ClientSecret));
        Assert.Equal(["openid", "offline_access"], settings.Vault.Scopes);
        Assert.Equal("(prompt, consent)", string.Join(';', settings.AuthorizationParameters));
    }

    [Fact]
    public void Parse_OwnProvider_ReadsTheSecretFromItsFile()
    {
        var settings = Parse(
            new()
            {
                Issuer = "https://id.calendar.example",
                ClientId = "c",
                ClientSecretFile = "/secret",
                AuthorizationParameters = ["access_type=offline", "x=a=b"],
            },
            out var problems);

        Assert.Empty(problems);
        Assert.Equal("from-file", settings!.Vault.ClientSecret);
        Assert.Equal("(access_type, offline);(x, a=b)", string.Join(';', settings.AuthorizationParameters));
        Assert.DoesNotContain("from-file", settings.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("from-file", settings.Vault.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, ConnectionOptions> Wrong() => new()
    {
        { "Provider is 'other'", new() { Provider = "other" } },
        { "Provider is given beside", new() { Provider = "main", ClientId = "c" } },
        { "Issuer is 'http://id.example'", new() { Issuer = "http://id.example", ClientId = "c" } },
        { "Issuer is ''", new() { ClientId = "c" } },
        { "ClientId is missing", new() { Issuer = "https://id.example" } },
        { "ClientSecretFile is given beside", Own() with { ClientSecret = "s", ClientSecretFile = "/secret" } },
        { "ClientSecretFile names '/none', which cannot be read", Own() with { ClientSecretFile = "/none" } },
        { "Scopes contains 'a b'", Own() with { Scopes = ["a b"] } },
        { "AuthorizationParameters contains 'state'", Own() with { AuthorizationParameters = ["state=x"] } },
        { "AuthorizationParameters contains 'x'", Own() with { AuthorizationParameters = ["x"] } },
        { "DefaultTokenLifetime is 00:00:00", Own() with { DefaultTokenLifetime = TimeSpan.Zero } },
        { "KeepAliveAfter is -00:00:01", Own() with { KeepAliveAfter = TimeSpan.FromSeconds(-1) } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Parse_Wrong_NamesTheOption(string problem, ConnectionOptions options)
    {
        var settings = Parse(options, out var problems);

        Assert.Null(settings);
        Assert.Contains(problems, p => p.StartsWith("Berth:Edge:Connections:c:" + problem,
            StringComparison.Ordinal));
    }

    private static ConnectionOptions Own() => new() { Issuer = "https://id.example", ClientId = "c" };

    private static ConnectionSettings? Parse(ConnectionOptions options, out List<string> problems)
    {
        problems = [];
        ImmutableArray<IssuerSettings> issuers =
        [
            new()
            {
                Key = "main",
                DisplayName = "Main",
                Issuer = "https://login.example",
                ClientId = "berth",
                ClientSecret = "main-secret",
                Scope = "openid",
                Algorithms = JwsAlgorithms.All,
                MaximumTokenLifetime = TimeSpan.FromHours(1),
            },
        ];
        var parser = new ConnectionSettingsParser(
            problems, issuers, path => path == "/secret" ? "from-file\n" : throw new FileNotFoundException("not there"));
        return parser.Parse(new Dictionary<string, ConnectionOptions> { ["c"] = options }).SingleOrDefault();
    }
}
