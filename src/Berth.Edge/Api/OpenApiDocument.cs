using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Edge;

/// <summary>
/// The OpenAPI 3.1 description: paths from <see cref="ApiRoutes"/>, schemas from the types themselves. Made at the first request for it;
/// nothing of it is on the way of other requests.
/// </summary>
internal static class OpenApiDocument
{
    private static readonly Lazy<byte[]> Bytes = new(() => JsonSerializer.SerializeToUtf8Bytes(Build(), EdgeJson.Default.JsonObject));

    /// <summary>Serves the document.</summary>
    public static async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "public, max-age=300";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentLength = Bytes.Value.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(Bytes.Value, context.RequestAborted).ConfigureAwait(false);
        }
    }

    /// <summary>Builds the document.</summary>
    public static JsonObject Build()
    {
        var paths = new JsonObject();
        foreach (var route in ApiRoutes.All)
        {
            if (paths[route.Pattern] is not JsonObject path)
            {
                paths[route.Pattern] = path = [];
            }

            path[route.Method.ToLowerInvariant()] = Operation(route);
        }

        UpstreamDescription.AddPaths(paths);
        var schemas = Schemas();
        ManagerRoutes.Describe(paths, schemas);
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Berth",
                ["version"] = "1",
                ["description"] = "Workspaces: list, create, start, stop, restart, change, delete; events and logs. Calls of other APIs."
            },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["bearerFormat"] = "JWT",
                        ["description"] = "An access token of a configured provider, for the audience of this edge.",
                    },
                    [UpstreamDescription.Scheme] = UpstreamDescription.SecurityScheme(),
                    [TokenRoutes.Scheme] = TokenRoutes.SecurityScheme(),
                    ["session"] = new JsonObject
                    {
                        ["type"] = "apiKey",
                        ["in"] = "cookie",
                        ["name"] = "__Host-berth",
                        ["description"] = "The session of a browser that signed in at /login; requests that change something must come "
                            + "from the edge's own origin.",
                    },
                },
            },
            ["security"] = new JsonArray { new JsonObject { ["bearer"] = new JsonArray() },
                new JsonObject { ["session"] = new JsonArray() } },
        };
    }

    private static JsonObject Operation(ApiRoute route)
    {
        var operation = new JsonObject { ["operationId"] = route.OperationId, ["summary"] = route.Summary };
        var parameters = new JsonArray();
        foreach (var part in new[] { "name", "hold", "key", "session", "token" }
            .Where(p => route.Pattern.Contains($"{{{p}}}", StringComparison.Ordinal)))
        {
            parameters.Add(new JsonObject
            {
                ["name"] = part,
                ["in"] = "path",
                ["required"] = true,
                ["schema"] = new JsonObject { ["type"] = "string" }
            });
        }

        foreach (var query in route.Query)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = query.Name,
                ["in"] = "query",
                ["description"] = query.Description,
                ["schema"] = new JsonObject { ["type"] = query.Type },
            });
        }

        if (route.IfMatch)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = "If-Match",
                ["in"] = "header",
                ["description"] = "The ETag of what you have seen: the call fails with 412 when it was changed since.",
                ["schema"] = new JsonObject { ["type"] = "string" },
            });
        }

        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        if (route.Body is { } body)
        {
            operation["requestBody"] = new JsonObject
            {
                ["required"] = route.Method is "PATCH" or "PUT" || body == "PersonKey",
                ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Reference(body) } },
            };
        }

        operation["responses"] = Responses(route);
        operation["security"] = TokenRoutes.Security(route.Scope, isBrowserOnly: route.OperationId == "createPersonalToken");
        return operation;
    }

    private static JsonObject Responses(ApiRoute route)
    {
        var responses = new JsonObject();

        // What is read strictly can be wrong: a query parameter, an ETag.
        int[] strict = route.IfMatch || route.Query.Count > 0 ? [400] : [];
        foreach (var status in route.Statuses.Concat(strict).Concat([401, 403, 429, 500, 503]).Distinct().Order())
        {
            var response = new JsonObject { ["description"] = Description(status) };
            if (status >= 400)
            {
                response["content"] = new JsonObject { [Problems.ContentType] = new JsonObject { ["schema"] = Reference("Problem") } };
            }
            else if (status != 304 && route.Answer is { } answer)
            {
                response["content"] = answer switch
                {
                    "Text" => new JsonObject { ["text/plain"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } } },
                    "File" => new JsonObject
                    {
                        ["text/csv"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } },
                        ["application/jsonl"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } },
                    },
                    "EventStream" => new JsonObject
                    {
                        [
                        "text/event-stream"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } }
                    },
                    _ => new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Reference(answer) } },
                };
            }

            responses[status.ToString()] = response;
        }

        return responses;
    }

    private static string Description(int status) => status switch
    {
        200 => "Done.",
        201 => "Created.",
        202 => "Accepted; the operator carries it out.",
        204 => "Done; there is nothing to read.",
        304 => "Not changed since the version in If-None-Match.",
        400 => "The request cannot be read.",
        401 => "Nobody is signed in, or the token is not accepted.",
        403 => "Not allowed.",
        404 => "No such thing, or not yours.",
        409 => "Not possible as things are.",
        412 => "Changed since the version in If-Match.",
        413 => "The body is too large.",
        415 => "The body has the wrong media type.",
        422 => "Some values cannot be used; errors names them.",
        429 => "Too many requests; Retry-After says in how many seconds one may pass again.",
        503 => "The cluster, or the database of accounts, does not answer now.",
        _ => "Something went wrong inside.",
    };

    private static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    private static JsonObject Schemas() => new()
    {
        ["CreateWorkspace"] = Schema(EdgeJson.Default.CreateWorkspace),
        ["ChangeWorkspace"] = new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject
            {
                ["displayName"] = new JsonObject { ["type"] = new JsonArray("string", "null"), ["maxLength"] = 100 },
                ["parameters"] = new JsonObject
                {
                    ["type"] = new JsonArray("object", "null"),
                    ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "null"), ["maxLength"] = 256 },
                },
                ["resources"] = new JsonObject
                {
                    ["type"] = new JsonArray("object", "null"),
                    ["additionalProperties"] = false,
                    ["properties"] = new JsonObject
                    {
                        ["cpu"] = new JsonObject { ["type"] = new JsonArray("string", "null") },
                        ["memory"] = new JsonObject { ["type"] = new JsonArray("string", "null") },
                        ["storage"] = new JsonObject { ["type"] = new JsonArray("string", "null") },
                    },
                },
            },
        },
        ["Hold"] = Wish(withReason: true),
        ["Keep"] = Wish(withReason: false),
        ["Workspace"] = Schema(EdgeJson.Default.WorkspaceView),
        ["WorkspaceList"] = Schema(EdgeJson.Default.WorkspaceListView),
        ["EventList"] = Schema(EdgeJson.Default.EventListView),
        ["TemplateList"] = Schema(EdgeJson.Default.TemplateListView),
        ["Person"] = Schema(EdgeJson.Default.PersonView),
        ["PreferencesBody"] = Schema(EdgeJson.Default.PreferencesBody),
        ["Preferences"] = Schema(EdgeJson.Default.PreferencesView),
        ["Datum"] = new JsonObject { ["description"] = "Any JSON." },
        ["DatumList"] = Schema(EdgeJson.Default.DatumListView),
        ["History"] = Schema(EdgeJson.Default.HistoryView),
        ["Usage"] = Schema(EdgeJson.Default.UsageView),
        ["SessionList"] = Schema(EdgeJson.Default.SessionListView),
        ["Request"] = Schema(EdgeJson.Default.RequestView),
        ["PersonKey"] = new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["required"] = new JsonArray("issuer", "subject"),
            ["properties"] = new JsonObject
            {
                ["issuer"] = new JsonObject { ["type"] = "string", ["description"] = "Issuer of the provider, letter by letter." },
                ["subject"] = new JsonObject { ["type"] = "string", ["description"] = "Subject there, letter by letter." },
            },
        },
        ["Account"] = Schema(EdgeJson.Default.AccountView),
        ["AccountList"] = Schema(EdgeJson.Default.AccountListView),
        ["AuditVerification"] = Schema(EdgeJson.Default.AuditVerificationView),
        ["CreatePersonalToken"] = Schema(EdgeJson.Default.CreateToken),
        ["NewPersonalToken"] = Schema(EdgeJson.Default.CreatedTokenView),
        ["PersonalTokenList"] = Schema(EdgeJson.Default.TokenListView),
        ["Problem"] = Schema(EdgeJson.Default.ProblemView),
        [UpstreamDescription.ErrorSchema] = UpstreamDescription.Error(),
    };

    private static JsonObject Wish(bool withReason)
    {
        var properties = new JsonObject
        {
            ["until"] = new JsonObject
            {
                ["type"] = "string",
                ["format"] = "date-time",
                ["description"] = "When it ends; or give seconds.",
            },
            ["seconds"] = new JsonObject
            {
                ["type"] = "integer",
                ["minimum"] = 1,
                ["description"] = "How long from now; or give until.",
            },
        };
        if (withReason)
        {
            properties["reason"] = new JsonObject { ["type"] = "string", ["maxLength"] = 256, ["description"] = "What for, in words." };
        }

        return new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
    }

    private static JsonNode Schema(JsonTypeInfo type) =>
        type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
}
