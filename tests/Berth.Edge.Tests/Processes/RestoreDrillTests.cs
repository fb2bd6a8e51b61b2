using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Npgsql;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>The drill of docs/upgrades.md: a server is lost, and the shipped program goes on on another one with a backup and the saved keys.</summary>
public class RestoreDrillTests
{
    private const string Database = "Berth__Edge__Database__ConnectionString";
    private const string Login = "berth_edge_login";

    [SkippableFact]
    public async Task Drill_ServerIsLost_OnAnotherOneTokensAreUsedAndTheChainHolds()
    {
        using var lost = Create();
        lost.Start();
        await using var berth = await EdgeInstallation.CreateAsync(lost.ConnectionString + ";Database=postgres;Pooling=false");
        var administrator = Administrator(berth);
        var dump = Path.Combine(lost.Folder, "accounts.dump");
        JsonObject head;
        string cookie;
        await using (var edge = await berth.NewEdgeAsync(administrator))
        {
            using var ann = edge.Client(berth.TokenOf("ann"));
            await berth.ConnectAsync(ann, "ann");
            await CallAsync(ann);
            var browser = new Browser(Loopback.Handler(edge.Port));
            await berth.SignInAsync(browser, "ann");
            cookie = browser.CookieHeader(new Uri(ProductFixture.Origin));
            Assert.Equal(HttpStatusCode.OK, await WithSessionAsync(edge, cookie));
            head = await ChainAsync(edge, berth);
            Assert.True((int)head["events"]! > 0);
        }

        Succeeds(lost.RunAsMe(Script("backup.sh"), "postgres", [dump]));
        lost.Stop("immediate");

        using var other = Create();
        other.Start();
        Succeeds(other.Run("createdb", "restored"));
        var (sequence, hash) = (head["headSequence"]!.ToString(), (string)head["headHash"]!);
        var said = Succeeds(other.RunAsMe(
            Script("drill.sh"), "restored", [dump, sequence, hash],
            ("EDGE", $"dotnet exec {EdgeProcess.Shipped}"), ("LOGIN", Login), (MigrateCommand.LoginPassword, "of the drill")));
        Assert.Contains("has the head that was noted", said, StringComparison.Ordinal);
        var restored = other.ConnectionString + ";Database=restored;Pooling=false";

        // Keys that are not those of the backup: the edge ends, and what is stored stays as it is.
        var asEdge = new NpgsqlConnectionStringBuilder(restored) { Username = Login }.ConnectionString;
        (string, string)[] settings = [.. administrator, (Database, asEdge), ("Berth__Edge__Database__Migrate", "false")];
        var wrong = await berth.NewEdgeThatNeedNotBeReadyAsync(
            [.. settings, ("Berth__Edge__Vault__Keys__0__Key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)))]);
        Assert.Equal(1, await wrong.ExitAsync());
        Assert.Contains("is not the key that this database knows under that name", wrong.Output(), StringComparison.Ordinal);

        // The saved ones: with no access token left, the stored refresh token has to be opened.
        await ExecuteAsync(restored, "UPDATE berth.vault_tokens SET access_token = NULL, access_expires_at = NULL");
        var again = await berth.NewEdgeAsync(settings);
        using var client = again.Client(berth.TokenOf("ann"));
        await CallAsync(client);
        Assert.Equal(HttpStatusCode.Unauthorized, await WithSessionAsync(again, cookie));
        var chain = await ChainAsync(again, berth, $"?sequence={sequence}&hash={hash}");
        Assert.True((bool)chain["whole"]!, chain.ToJsonString());

        // It goes on from there.
        var later = await ChainAsync(again, berth);
        Assert.True((long)later["headSequence"]! > long.Parse(sequence, System.Globalization.CultureInfo.InvariantCulture));
    }

    [SkippableTheory]
    [InlineData(2, "That is no sequence number", "1; DROP TABLE x", "ab")]
    [InlineData(2, "That is no hash", "1", "x'y")]
    [InlineData(2, "usage:", "1")]
    [InlineData(1, "does not have the head that was noted", "999999", "ab")]
    public async Task Drill_HeadThatIsNotThere_Fails(int expected, string reason, params string[] head)
    {
        using var server = Create();
        server.Start();
        var dump = Path.Combine(server.Folder, "accounts.dump");
        Assert.Equal(0, await MigrateCommand.RunAsync(
            ["--connection", server.ConnectionString + ";Database=postgres;Pooling=false"], null, TextWriter.Null, TextWriter.Null, default));
        Succeeds(server.RunAsMe(Script("backup.sh"), "postgres", [dump]));
        Succeeds(server.Run("createdb", "restored"));

        var (code, output) = server.RunAsMe(Script("drill.sh"), "restored", [dump, .. head], ("EDGE", $"dotnet exec {EdgeProcess.Shipped}"), ("ROLES", "drill"));

        Assert.True(code == expected, output);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    private static (string, string)[] Administrator(EdgeInstallation berth) =>
        [("Berth__Edge__Administrators__0__Issuer", berth.SignIn.Issuer), ("Berth__Edge__Administrators__0__Subject", "admin")];

    private static async Task CallAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(EdgeInstallation.Call);
        Assert.Contains("\"ann\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> WithSessionAsync(EdgeProcess edge, string cookie)
    {
        using var client = edge.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Cookie", cookie);
        using var answer = await client.GetAsync("/api/workspaces");
        return answer.StatusCode;
    }

    private static async Task<JsonObject> ChainAsync(EdgeProcess edge, EdgeInstallation berth, string query = "")
    {
        using var client = edge.Client(berth.TokenOf("admin"));
        using var answer = await client.GetAsync("/api/audit/verification" + query);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static string Script(string name) => Checkout.Path("docs", "examples", "backup", name);

    private static string Succeeds((int Code, string Output) run)
    {
        Assert.True(run.Code == 0, run.Output);
        return run.Output;
    }

    private static PostgresInstance Create()
    {
        var server = PostgresInstance.Create(out var reason);
        Skip.If(server is null, reason);
        return server;
    }
}
