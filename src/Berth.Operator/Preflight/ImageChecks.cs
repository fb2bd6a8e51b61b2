using System.Text.Json.Nodes;
using Kube.Client;

namespace Berth.Operator.Preflight;

/// <summary>
/// Whether nodes can pull the images. Only a node knows (its credentials, its network, what was loaded into it), so a pod asks: its command
/// is none that any image has, which says "pulled" as clearly as one that runs, and runs nothing.
/// </summary>
internal static class ImageChecks
{
    private const string NoSuchCommand = "/berth-preflight";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public static async Task<IReadOnlyList<PreflightResult>> PullAsync(PreflightContext context)
    {
        if (await context.GetAsync($"/api/v1/namespaces/{context.Plan.Namespace}") is null)
        {
            return [
                PreflightResult.Skip("images", $"namespace {context.Plan.Namespace} is not there yet: make it, and ask again with --pull")];
        }

        return await Task.WhenAll(context.Plan.Images.Select(i => PullAsync(context, i)));
    }

    private static async Task<PreflightResult> PullAsync(PreflightContext context, string image)
    {
        var name = $"berth-preflight-{Guid.NewGuid():N}"[..24];
        var pods = $"/api/v1/namespaces/{context.Plan.Namespace}/pods";
        try
        {
            await context.PostAsync(pods, Pod(name, image));
            var until = context.Clock.GetUtcNow() + Patience;
            while (context.Clock.GetUtcNow() < until)
            {
                if (Verdict(image, await context.GetAsync($"{pods}/{name}")) is { } verdict)
                {
                    return verdict;
                }

                await Task.Delay(Interval, context.Clock, context.CancellationToken);
            }

            return PreflightResult.Fail($"image {image}", $"not pulled within {Patience.TotalMinutes:0} minutes",
                "look at the node's network, or pull it there beforehand");
        }
        catch (KubeException e)
        {
            return PreflightResult.Fail($"image {image}", $"the pod that asks could not be made: {e.Message}",
                "rights to create and delete pods there, or no --pull");
        }
        finally
        {
            await context.DeleteAsync($"{pods}/{name}");
        }
    }

    /// <summary>What a pod's status says about its image; null while it says nothing.</summary>
    internal static PreflightResult? Verdict(string image, JsonNode? pod)
    {
        var check = $"image {image}";
        var container = (pod.At("status", "containerStatuses") as JsonArray)?.FirstOrDefault();
        var (reason, message) = (container.Text("state", "waiting", "reason"), container.Text("state", "waiting", "message"));
        if (reason is "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "ErrImageNeverPull" or "RegistryUnavailable")
        {
            return PreflightResult.Fail(check, $"{reason}: {Shorten(message ?? "no more is said")}",
                "correct the name, push the image, load it into the nodes, or give image.pullSecrets");
        }

        var pulled = reason is "CreateContainerError" or "RunContainerError" or "CrashLoopBackOff"
            || container.At("state", "running") is not null || container.At("state", "terminated") is not null;
        if (pulled)
        {
            return PreflightResult.Pass(check, "a node has pulled it");
        }

        var scheduled = (pod.At("status", "conditions") as JsonArray ?? []).FirstOrDefault(c => c.Text("type") == "PodScheduled");
        return scheduled.Text("status") == "False"
            ? PreflightResult.Warn(check, $"no node takes the pod that asks: {Shorten(scheduled.Text("message") ?? "")}",
                "room in the cluster")
            : null;
    }

    private static JsonObject Pod(string name, string image) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["app.kubernetes.io/name"] = "berth-preflight" } },
        ["spec"] = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["automountServiceAccountToken"] = false,
            ["securityContext"] = new JsonObject
            {
                ["runAsNonRoot"] = true,
                ["runAsUser"] = 10001,
                ["seccompProfile"] = new JsonObject { ["type"] = "RuntimeDefault" },
            },
            ["containers"] = new JsonArray(new JsonObject
            {
                ["name"] = "image",
                ["image"] = image,
                ["imagePullPolicy"] = "IfNotPresent",
                ["command"] = new JsonArray(NoSuchCommand),
                ["resources"] = new JsonObject { ["limits"] = new JsonObject { ["cpu"] = "10m", ["memory"] = "16Mi" } },
                ["securityContext"] = new JsonObject
                {
                    ["allowPrivilegeEscalation"] = false,
                    ["readOnlyRootFilesystem"] = true,
                    ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
                },
            }),
        },
    };

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..197] + "...";
}
