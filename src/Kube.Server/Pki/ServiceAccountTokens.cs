using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Pki;

/// <summary>
/// Tokens of service accounts that are bound to a pod, for audiences other than this server: what a kubelet mounts, and what TokenReview
/// answers. The server itself accepts none of them.
/// </summary>
/// <remarks>
/// The key lives as long as the process: pods do not outlive the server, and are given new tokens when it starts them. Only this server
/// verifies them, so they are signed with a symmetric key, and there is nothing to publish.
/// </remarks>
internal sealed class ServiceAccountTokens(TimeProvider clock)
{
    private const string Issuer = "https://kubernetes.default.svc";

    // What the API takes at least and what it gives at most.
    private const long LeastSeconds = 600;
    private const long MostSeconds = 86400;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>A new token.</summary>
    /// <param name="ns">Namespace of the pod.</param>
    /// <param name="account">Name of its service account.</param>
    /// <param name="pod">Name of the pod.</param>
    /// <param name="podUid">The pod itself: the token ends with it.</param>
    /// <param name="audience">Whom it is for.</param>
    /// <param name="seconds">Its life, brought into the bounds of the API (10 minutes to a day).</param>
    public string Issue(string ns, string account, string pod, string podUid, string audience, long seconds)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["aud"] = new JsonArray(audience),
            ["exp"] = now + Math.Clamp(seconds, LeastSeconds, MostSeconds),
            ["iat"] = now,
            ["nbf"] = now,
            ["iss"] = Issuer,
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = new JsonObject
            {
                ["namespace"] = ns,
                ["pod"] = new JsonObject { ["name"] = pod, ["uid"] = podUid },
                ["serviceaccount"] = new JsonObject { ["name"] = account },
            },
            ["sub"] = $"system:serviceaccount:{ns}:{account}",
        };
        var input = $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Encode(claims.ToJsonString())}";
        return $"{input}.{Base64Url.EncodeToString(Sign(input))}";
    }

    /// <summary>Status of a TokenReview: whose a token is, while its pod is there.</summary>
    public JsonObject Review(string token, IReadOnlyList<string> audiences, IClusterApi api)
    {
        if (Verified(token) is not { } claims)
        {
            return Refused("the token is malformed, expired or not of this server");
        }

        var audience = claims.Texts("aud")[0];
        if (audiences.Count == 0 || !audiences.Contains(audience))
        {
            return Refused("the token is not for these audiences");
        }

        var bound = claims["kubernetes.io"]!.AsObject();
        var (ns, pod, uid) = (bound.Text("namespace") ?? "", bound.Object("pod").Text("name") ?? "", bound.Object("pod").Text("uid") ?? "");
        if (api.Get(GroupResource.Pods, ns, pod)?.Object("metadata").Text("uid") != uid)
        {
            return Refused("the pod that the token was bound to is gone");
        }

        return new JsonObject
        {
            ["authenticated"] = true,
            ["user"] = new JsonObject
            {
                ["username"] = claims.Text("sub"),
                ["groups"] = Json.Strings(["system:serviceaccounts", $"system:serviceaccounts:{ns}", "system:authenticated"]),
                ["extra"] = new JsonObject
                {
                    ["authentication.kubernetes.io/pod-name"] = Json.Strings([pod]),
                    ["authentication.kubernetes.io/pod-uid"] = Json.Strings([uid]),
                },
            },
            ["audiences"] = Json.Strings([audience]),
        };
    }

    private static JsonObject Refused(string why) => new() { ["authenticated"] = false, ["error"] = why };

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private byte[] Sign(string input) => HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(input));

    private JsonObject? Verified(string token)
    {
        var dot = token.LastIndexOf('.');
        if (dot < 0 || token.Count(c => c == '.') != 2 || !Base64Url.IsValid(token.AsSpan(dot + 1))
            || !CryptographicOperations.FixedTimeEquals(Sign(token[..dot]), Base64Url.DecodeFromChars(token.AsSpan(dot + 1))))
        {
            return null;
        }

        // Signed by this key, so made above: what is in it needs no more checks than its time.
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(token.AsSpan(token.IndexOf('.', StringComparison.Ordinal) + 1,
            dot - token.IndexOf('.', StringComparison.Ordinal) - 1)))!.AsObject();
        return clock.GetUtcNow().ToUnixTimeSeconds() < claims.Number("exp") ? claims : null;
    }
}
