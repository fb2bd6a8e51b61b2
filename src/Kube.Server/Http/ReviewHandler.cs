using System.Text.Json.Nodes;

namespace Kube.Server.Http;

/// <summary>Reviews. There is one user, the administrator, who may do everything.</summary>
internal static class ReviewHandler
{
    private const string User = "kubernetes-admin";

    public static async Task AnswerAsync(ApiRequest request)
    {
        var body = await Body.ObjectAsync(request.Http, []).ConfigureAwait(false);
        body["apiVersion"] = request.Kind.ApiVersion;
        body["kind"] = request.Kind.Kind;
        body["metadata"] ??= new JsonObject();
        body["status"] = request.Kind.Kind switch
        {
            "SelfSubjectReview" => new JsonObject { ["userInfo"] = UserInfo() },
            // Nobody but the administrator has a token here, and that one is not handed to others to be reviewed.
            "TokenReview" => new JsonObject { ["authenticated"] = false, ["error"] = "this server does not issue tokens" },
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
