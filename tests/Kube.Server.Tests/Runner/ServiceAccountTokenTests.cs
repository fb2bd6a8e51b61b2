using System.Text.Json.Nodes;
using Kube.Server.Pki;
using Testing;

namespace Kube.Server.Tests.Runner;

/// <summary>Tokens that are mounted into pods, and what TokenReview says of them.</summary>
public sealed class ServiceAccountTokenTests
{
    private const string Volume = """
        "volumes":[{"name":"t","projected":{"sources":[{"serviceAccountToken":{"audience":"edge","expirationSeconds":900,"path":"token"}}]}}]
        """;

    private const string Mount = """
        "env":[{"name":"FILE","value":"/run/t/token"}],"volumeMounts":[{"name":"t","mountPath":"/run/t"}]
        """;

    [Fact]
    public async Task Pod_WithAProjectedToken_ReadsOneThatIsItsOwnUntilItIsGone()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreatePodAsync("a", "echo token `cat $FILE`; exec sleep 1000", Volume, Mount);
        var line = await runner.WaitLogAsync("a", "token ");
        var token = line[(line.IndexOf("token ", StringComparison.Ordinal) + 6)..].Split(['\n', ' '])[0].Trim();

        var good = runner.Tokens.Review(token, ["edge"], runner.Cluster);
        Assert.True((bool)good["authenticated"]!);
        Assert.Equal("system:serviceaccount:default:default", (string?)good["user"]!["username"]);
        var uid = (string)runner.Pod("a")!["metadata"]!["uid"]!;
        Assert.Equal(uid, (string?)good["user"]!["extra"]!["authentication.kubernetes.io/pod-uid"]![0]);
        Assert.Equal(["edge"], good["audiences"]!.AsArray().Select(a => (string)a!));

        Assert.False((bool)runner.Tokens.Review(token, ["other"], runner.Cluster)["authenticated"]!);
        Assert.False((bool)runner.Tokens.Review(token, [], runner.Cluster)["authenticated"]!);
        Assert.False((bool)new ServiceAccountTokens(TimeProvider.System).Review(token, ["edge"], runner.Cluster)["authenticated"]!);
        await runner.Cluster.DeleteAsync(
            GroupResource.Pods, "default", "a", new DeleteOptions { GracePeriodSeconds = 0 }, CancellationToken.None);
        Assert.False((bool)runner.Tokens.Review(token, ["edge"], runner.Cluster)["authenticated"]!);
    }

    [Fact]
    public void Review_TokenThatIsOverOrChanged_IsRefused()
    {
        var clock = new FakeTimeProvider();
        var tokens = new ServiceAccountTokens(clock);
        var cluster = new TestCluster(clock);
        var token = tokens.Issue("default", "default", "a", "uid", "edge", 900);

        Assert.Contains("gone", (string?)tokens.Review(token, ["edge"], cluster)["error"], StringComparison.Ordinal);
        foreach (var changed in new[] { token[..^2] + "AA", token + ".x", "..", "", "a.b.c", token.Replace('.', ',') })
        {
            Assert.Contains("malformed", (string?)tokens.Review(changed, ["edge"], cluster)["error"], StringComparison.Ordinal);
        }

        clock.Advance(TimeSpan.FromSeconds(901));
        Assert.Contains("malformed", (string?)tokens.Review(token, ["edge"], cluster)["error"], StringComparison.Ordinal);
    }

    [Fact]
    public void Renewal_OfATokensFile_ComesBeforeItsEnd()
    {
        var pod = Kube.Server.Runner.Pods.PodShape.Read(JsonNode.Parse("{\"spec\":{" + Volume + "}}")!.AsObject());

        Assert.Equal(TimeSpan.FromSeconds(720), Kube.Server.Runner.Volumes.PodVolumes.Renewal(pod));
        Assert.Null(Kube.Server.Runner.Volumes.PodVolumes.Renewal(Kube.Server.Runner.Pods.PodShape.Read([])));
    }
}
