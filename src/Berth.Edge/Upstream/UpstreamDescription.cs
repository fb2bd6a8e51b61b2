using System.Text.Json.Nodes;

namespace Berth.Edge;

/// <summary>The API proxy in the OpenAPI description.</summary>
internal static class UpstreamDescription
{
    /// <summary>Path of the proxy; the last part may have slashes, which OpenAPI cannot say.</summary>
    public const string Path = "/proxy/{connection}/{path}";

    /// <summary>Name of the scheme by which workspaces authenticate.</summary>
    public const string Scheme = "workspace";

    /// <summary>Name of the schema of errors.</summary>
    public const string ErrorSchema = "ConnectionError";

    private static readonly (int Status, string Description)[] Errors =
    [
        (400, "The request can be read in more than one way, or is broken off: bad-request, bad-path."),
        (401, "Nobody is known: not-authenticated, invalid-token."),
        (403, "Not allowed: account-disabled, insufficient-scope, workspace-not-running, workspace-not-allowed, cross-site, "
            + "origin-not-allowed, path-not-allowed, upgrade-not-allowed."),
        (404, "connection-not-found."),
        (405, "method-not-allowed; Allow lists those that are."),
        (409, "consent-required or reconsent-required; details.consentUrl is where to consent."),
        (413, "body-too-large."),
        (429, "too-many-requests; Retry-After says when."),
        (500, "internal."),
        (502, "upstream-unreachable, upstream-answer, redirect-refused, token-rejected, provider-error."),
        (503, "provider-unavailable, vault-unavailable, cannot-verify, retry-with-new-token; Retry-After says when."),
        (504, "upstream-timeout."),
    ];

    /// <summary>Adds the operations.</summary>
    public static void AddPaths(JsonObject paths)
    {
        var path = new JsonObject();
        foreach (var method in (string[])["get", "head", "post", "put", "patch", "delete"])
        {
            path[method] = Operation(method);
        }

        paths[Path] = path;
    }

    /// <summary>How workspaces authenticate.</summary>
    public static JsonObject SecurityScheme() => new()
    {
        ["type"] = "http",
        ["scheme"] = "bearer",
        ["bearerFormat"] = "JWT",
        ["description"] = "The token in the file that BERTH_TOKEN_FILE names, in a workspace whose template opens connections; "
            + "read it anew for each call. It counts for the proxy only.",
    };

    /// <summary>Schema of errors.</summary>
    public static JsonObject Error() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("error", "code", "details", "operation"),
        ["properties"] = new JsonObject
        {
            ["error"] = new JsonObject { ["type"] = "string", ["description"] = "What is wrong and what to do, in words." },
            ["code"] = new JsonObject { ["type"] = "string", ["description"] = "The same for programs." },
            ["details"] = new JsonObject
            {
                ["type"] = "object",
                ["required"] = new JsonArray("requestId"),
                ["properties"] = new JsonObject
                {
                    ["requestId"] = new JsonObject { ["type"] = "string" },
                    ["connection"] = new JsonObject { ["type"] = "string" },
                    ["consentUrl"] = new JsonObject { ["type"] = "string" },
                    ["begin"] = new JsonObject { ["type"] = "string" },
                    ["field"] = new JsonObject { ["type"] = "string" },
                    ["persistent_token_id"] = new JsonObject { ["type"] = "string", ["format"] = "uuid" },
                    ["cause"] = new JsonObject { ["type"] = "string" },
                    ["retryAfterSeconds"] = new JsonObject { ["type"] = "integer" },
                },
            },
            ["operation"] = new JsonObject { ["type"] = "string" },
        },
    };

    private static JsonObject Operation(string method)
    {
        var responses = new JsonObject
        {
            ["default"] = new JsonObject
            {
                ["description"] = "The API's own answer, whatever its status: it has the header Berth-Answer: upstream.",
            },
        };
        foreach (var (status, description) in Errors)
        {
            responses[$"{status}"] = new JsonObject
            {
                ["description"] = description,
                ["content"] = new JsonObject
                {
                    ["application/json"] = new JsonObject
                    {
                        ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{ErrorSchema}" },
                    },
                },
            };
        }

        return new JsonObject
        {
            ["operationId"] = method + "ThroughConnection",
            ["summary"] = "Call the API of a connection with the caller's token from the vault; query and body go as they are",
            ["parameters"] = new JsonArray(Parameter("connection", "Name of the connection"),
                Parameter("path", "Path below its base address")),
            ["responses"] = responses,
            ["security"] = new JsonArray(
                new JsonObject { ["bearer"] = new JsonArray() },
                new JsonObject { [Scheme] = new JsonArray() },
                new JsonObject { ["session"] = new JsonArray() },
                new JsonObject { [TokenRoutes.Scheme] = new JsonArray(TokenScopes.Proxy) }),
        };
    }

    private static JsonObject Parameter(string name, string description) => new()
    {
        ["name"] = name,
        ["in"] = "path",
        ["required"] = true,
        ["description"] = description,
        ["schema"] = new JsonObject { ["type"] = "string" },
    };
}
