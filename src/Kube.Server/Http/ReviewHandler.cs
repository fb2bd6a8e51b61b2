using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Http;

/// <summary>Reviews. There is one user, the administrator, who may do everything.</summary>
internal static class ReviewHandler
{
    private const string User = "kubernetes-admin";

    public static async Task AnswerAsync(ApiRequest request, Pki.ServiceAccountTokens tokens, IClusterApi api)
    {
        var body = await Body.ObjectAsync(request.Http, []).ConfigureAwait(false);
        body["apiVersion"] = request.Kind.ApiVersion;
        body["kind"] = request.Kind.Kind;
        body["metadata"] ??= new JsonObject();
        body["status"] = request.Kind.Kind switch
        {
            "SelfSubjectReview" => new JsonObject { ["userInfo"] = UserInfo() },
            // Tokens of pods; the administrator's own is not handed to others to be reviewed.
            "TokenReview" => tokens.Review(
                Json.Text(body, "spec", "token") ?? "",
                body.Object("spec").Texts("audiences"),
                api),
            "SelfSubjectRulesReview" => new JsonObject
            {
                ["resourceRules"] = new JsonArray(
                    (JsonNode)new JsonObject
                    {
                        ["verbs"] = Json.Strings(["*"]),
                        ["apiGroups"] = Json.Strings(["*"]),
                        ["resources"] = Json.Strings(["*"])
                    }),
                ["nonResourceRules"] = new JsonArray(
                    (JsonNode)new JsonObject { ["verbs"] = Json.Strings(["*"]), ["nonResourceURLs"] = Json.Strings(["*"]) }),
                ["incomplete"] = false,
            },
            "SubjectAccessReview" when Json.Text(body, "spec", "user") != User =>
                new JsonObject { ["allowed"] = false, ["reason"] = "the only user of this server is " + User },
            _ => new JsonObject { ["allowed"] = true, ["reason"] = "the administrator may do everything" },
        };
        await Answer.JsonAsync(request.Http, 201, body).ConfigureAwait(false);
    }

    private static JsonObject UserInfo() =>
        new() { ["username"] = User, ["groups"] = Json.Strings(["system:masters", "system:authenticated"]) };
}
