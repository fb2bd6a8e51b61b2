using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge.Tests.VaultProxy;

/// <summary>
/// The tokens of workspaces on a real cluster (BERTH_TEST_KUBECONFIG, BERTH_TEST_NODE_IMAGE): written by a kubelet, reviewed by an API
/// server, shown by a program in a container.
/// </summary>
public class WorkspaceTokenOnClusterTests
{
    [SkippableFact]
    public async Task Program_InItsContainer_CallsAsTheOwner_AndSomebodyElsesAsThatOther()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var one = await cluster.WorkspaceAsync("ws-one", "user1");
        await cluster.WorkspaceAsync("ws-two", "user2");

        Assert.Equal("I am user1.", await cluster.InPodAsync("ws-one", TokenCluster.Line));
        Assert.Equal("I am user2.", await cluster.InPodAsync("ws-two", TokenCluster.Line));

        // What the kubelet wrote, seen from outside of the pod as well.
        var token = await TokenOfAsync(cluster, "ws-one");
        var claims = Jwt.Claims(token);
        Assert.Equal(["berth-edge"], claims.GetProperty("aud").EnumerateArray().Select(a => a.GetString()));
        Assert.Equal(one.Metadata.Uid, claims.GetProperty("kubernetes.io").GetProperty("pod").GetProperty("uid").GetString());
        Assert.Equal((200, "I am user1."), await cluster.CallAsync(token));
        Assert.Equal((200, "I am user2."), await cluster.CallAsync(await TokenOfAsync(cluster, "ws-two")));

        // It is good for the edge alone: not for the API server, whose address the container knows.
        var status = await cluster.InPodAsync(
            "ws-one",
            "curl -sk -o /dev/null -w '%{http_code}' -H \"Authorization: Bearer $(cat \"$BERTH_TOKEN_FILE\")\" "
                + "https://$KUBERNETES_SERVICE_HOST/api/v1/namespaces");
        Assert.Equal("401", status);
    }

    [SkippableFact]
    public async Task Token_ThatTheApiServerMadeForSomethingElse_IsRefused()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var pod = await cluster.WorkspaceAsync("ws-one", "user1");
        var stranger = await cluster.StrangerAsync("stranger");
        var good = await cluster.RequestAsync(["berth-edge"], pod);
        var other = await cluster.RequestAsync(["berth-edge"], stranger);

        var answers = new Dictionary<string, int>
        {
            ["good"] = (await cluster.CallAsync(good)).Status,
            ["for the API server"] = (await cluster.CallAsync(await cluster.RequestAsync([], pod))).Status,
            ["for another service"] = (await cluster.CallAsync(await cluster.RequestAsync(["vault"], pod))).Status,
            ["for both"] = (await cluster.CallAsync(await cluster.RequestAsync(["berth-edge", "vault"], pod))).Status,
            ["of no pod"] = (await cluster.CallAsync(await cluster.RequestAsync(["berth-edge"], null))).Status,
            ["too long a life"] = (await cluster.CallAsync(await cluster.RequestAsync(["berth-edge"], pod, seconds: 7200))).Status,
            ["another pod's, with this pod's claims"] = (await cluster.CallAsync(Graft(good, other))).Status,
        };

        Assert.Equal(200, answers["good"]);
        Assert.All(answers.Where(a => a.Key != "good"), a => Assert.Equal((a.Key, 401), (a.Key, a.Value)));
    }

    [SkippableFact]
    public async Task Token_OfAPodThatIsNoWorkspaces_IsRefused()
    {
        await using var cluster = await TokenCluster.StartAsync();
        await cluster.WorkspaceAsync("ws-one", "user1");
        await cluster.StrangerAsync("stranger");

        // One that pretends: the Service of the workspace selects it, the edge still does not take it for the workspace's pod.
        var pretender = await cluster.StrangerAsync(
            "pretender", new Dictionary<string, string> { [Labels.Workspace] = "ws-one" });
        await TokenCluster.Until(() =>
            Task.FromResult(cluster.Edge.Get<WorkspaceWatch>().FindByPod(pretender.Metadata.Uid!, "ws-one") is not null));

        foreach (var name in new[] { "stranger", "pretender" })
        {
            var token = (await cluster.InPodAsync(name, "cat /run/token/token")).Trim();
            Assert.True(await cluster.IsAuthenticatedAsync(token), "the API server takes it for what it is");
            Assert.Equal((name, 401), (name, (await cluster.CallAsync(token)).Status));
        }

        Assert.Equal((200, "I am user1."), await cluster.CallAsync(await TokenOfAsync(cluster, "ws-one")));
    }

    [SkippableFact]
    public async Task Token_OfAPodThatIsDeleted_IsRefusedAndItsSuccessorsIsGood()
    {
        await using var cluster = await TokenCluster.StartAsync();
        var pod = await cluster.WorkspaceAsync("ws-one", "user1");
        var token = await TokenOfAsync(cluster, "ws-one");
        Assert.Equal(200, (await cluster.CallAsync(token)).Status);

        await cluster.Client.DeleteAsync<Pod>(cluster.Ns, "ws-one", null, default);
        await TokenCluster.Until(async () => (await cluster.CallAsync(token)).Status == 401);
        await cluster.PodAsync("ws-one", except: pod.Metadata.Uid);

        // The edge looks at the pods on each call; the API server itself remembers for 10 s what it said of a token.
        Assert.Equal(401, (await cluster.CallAsync(token)).Status);
        await TokenCluster.Until(async () => !await cluster.IsAuthenticatedAsync(token));
        Assert.Equal((200, "I am user1."), await cluster.CallAsync(await TokenOfAsync(cluster, "ws-one")));
    }

    [SkippableFact]
    public async Task Token_OfAWorkspaceThatIsStopped_IsRefused()
    {
        await using var cluster = await TokenCluster.StartAsync();
        await cluster.WorkspaceAsync("ws-one", "user1");
        var token = await TokenOfAsync(cluster, "ws-one");
        Assert.Equal(200, (await cluster.CallAsync(token)).Status);

        await cluster.Client.PatchAsync<UserWorkspace>(
            cluster.Ns, "ws-one", KubePatch.Merge("""{"spec":{"desiredState":"Stopped"}}"""u8.ToArray()), null, default);

        // First the wish, then the end of the pod.
        await TokenCluster.Until(async () => (await cluster.CallAsync(token)).Status is 403 or 401);
        await TokenCluster.Until(async () => await cluster.Client.TryGetAsync<Pod>(cluster.Ns, "ws-one", default) is null);
        Assert.Contains((await cluster.CallAsync(token)).Status, new[] { 401, 403 });
        await TokenCluster.Until(async () => !await cluster.IsAuthenticatedAsync(token));
    }

    private static async Task<string> TokenOfAsync(TokenCluster cluster, string pod) =>
        (await cluster.InPodAsync(pod, "cat \"$BERTH_TOKEN_FILE\"")).Trim();

    /// <summary>The claims of one token under the signature of another.</summary>
    private static string Graft(string claims, string signature) =>
        string.Join('.', [.. claims.Split('.')[..2], signature.Split('.')[2]]);
}
