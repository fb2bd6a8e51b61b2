using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Edge;

/// <summary>The token manager's routes: one table that serves them and describes them.</summary>
internal static class ManagerRoutes
{
    // What the edge itself says before it is known which call it is: a problem as everywhere else.
    private static readonly int[] BeforeRoute = [401, 403, 429, 503];

    private static readonly ApiParameter Dry = new("dryRun", "boolean", "Only tell what would be done");

    private static readonly ApiParameter Connection = new("connection", "string", "Connection; may be left out where there is one only");

    /// <summary>All routes.</summary>
    public static IReadOnlyList<ManagerRoute> All { get; } =
    [
        new("GET", "validate-token", "validateToken", "Whether the access token or session is accepted, and as whose", "ValidToken", [200],
            static s => s.GetRequiredService<ManagerEndpoints>().ValidateAsync),
        new("POST", "access-token", "getAccessToken", "An access token of the provider, made with a stored token", "AccessToken",
            [200, 400, 404, 409, 410, 502], static s => s.GetRequiredService<ManagerEndpoints>().AccessTokenAsync)
        {
            Query =
            [
                new("persistent_token_id", "string", "Id of the stored token, a UUID") { Required = true, Format = "uuid" },
                new("force_refresh", "boolean", "A new one, whatever is cached; at most every five seconds"),
                new("min_ttl", "integer", "Seconds that it has to last yet, up to 86400; nine tenths of a life at most"),
            ],
        },
        new("GET", "offline-token", "beginConsent", "The address to send the person's browser to for their consent", "Consent",
            [200, 400, 404], static s => s.GetRequiredService<ConsentFlow>().BeginAsync)
        {
            Scope = null,
            Query =
            [
                Connection, new("purpose", "string", "What the token is for; at most 100 characters"),
                new("return", "string",
                    "Path of the edge, or address of a workspace, to go to afterwards; else what became of it is shown"),
            ],
        },
        new("GET", "offline-token/callback", "finishConsent", "Where the provider sends the browser back to", "StoredToken",
            [200, 303, 400, 403, 502], static s => s.GetRequiredService<ConsentFlow>().CallbackAsync)
        {
            Scope = null,
            IsPage = true,
            Query =
            [
                new("state", "string", "As given"), new("code", "string", "Code"), new("iss", "string", "Issuer (RFC 9207)"),
                new("error", "string", "Error of the provider"),
            ],
        },
        new("POST", "offline-token-id", "createToken",
            "Store a refresh token of the connection's client as a token of its own; without one, tells how to ask for consent",
            "StoredToken", [201, 400, 403, 404, 409, 413, 415, 422, 502],
            static s => s.GetRequiredService<ManagerEndpoints>().NewTokenAsync) { Body = "NewToken", Scope = null },
        new("DELETE", "offline-token-id", "revokeToken", "Revoke a stored token, here and at the provider", "Revocation", [200, 400, 404],
            static s => s.GetRequiredService<ManagerEndpoints>().RevokeAsync)
        {
            Query = [new("id", "string", "Id of the stored token, a UUID") { Required = true, Format = "uuid" }, Dry],
        },
    ];

    /// <summary>Maps the routes.</summary>
    public static void MapBerthManager(this IEndpointRouteBuilder endpoints)
    {
        foreach (var route in All)
        {
            endpoints.MapMethods(route.Pattern, [route.Method], context => ApiPipeline.RunAsync(
                context, route.OperationId, FormOf(route, context), (c, caller) => route.Handler(c.RequestServices)(c, caller)))
                .WithDisplayName(route.OperationId).WithMetadata(new RequiredScope(route.Scope));
        }
    }

    /// <summary>Adds the routes and their schemas to the description.</summary>
    public static void Describe(JsonObject paths, JsonObject schemas)
    {
        foreach (var route in All)
        {
            if (paths[route.Pattern] is not JsonObject path)
            {
                paths[route.Pattern] = path = [];
            }

            path[route.Method.ToLowerInvariant()] = Operation(route);
        }

        schemas["ValidToken"] = Schema(ManagerJson.Default.ValidTokenView);
        schemas["AccessToken"] = Schema(ManagerJson.Default.AccessTokenView);
        schemas["Consent"] = Schema(ManagerJson.Default.ConsentView);
        schemas["StoredToken"] = Schema(ManagerJson.Default.StoredTokenView);
        schemas["Revocation"] = Schema(ManagerJson.Default.RevocationView);
        schemas["NewToken"] = Schema(ManagerJson.Default.NewTokenBody);
    }

    private static ErrorForm FormOf(ManagerRoute route, HttpContext context) => route.IsPage && ConsentForm.IsFor(context)
        ? context.RequestServices.GetRequiredService<ConsentForm>() : ManagerForm.Instance;

    private static JsonObject Operation(ManagerRoute route)
    {
        var operation = new JsonObject { ["operationId"] = route.OperationId, ["summary"] = route.Summary };
        if (route.Query.Count > 0)
        {
            operation["parameters"] = new JsonArray([.. route.Query.Select(q => new JsonObject
            {
                ["name"] = q.Name,
                ["in"] = "query",
                ["required"] = q.Required,
                ["description"] = q.Description,
                ["schema"] = q.Format is null ? new JsonObject { ["type"] = q.Type }
                    : new JsonObject { ["type"] = q.Type, ["format"] = q.Format },
            })]);
        }

        if (route.Body is { } body)
        {
            operation["requestBody"] = new JsonObject { ["required"] = false, ["content"] = Json(body) };
        }

        var responses = new JsonObject();
        foreach (var status in route.Statuses.Concat([401, 403, 429, 500, 503]).Distinct().Order())
        {
            var response = new JsonObject { ["description"] = Description(status) };
            if (status != 303)
            {
                var content = Json(status >= 400 ? UpstreamDescription.ErrorSchema : route.Answer);
                if (BeforeRoute.Contains(status))
                {
                    content[Problems.ContentType] =
                        new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } };
                }

                if (route.IsPage)
                {
                    content["text/html"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } };
                }

                response["content"] = content;
            }

            responses[status.ToString()] = response;
        }

        operation["responses"] = responses;
        operation["security"] = TokenRoutes.Security(route.Scope);
        return operation;
    }

    private static JsonObject Json(string schema) => new()
    {
        ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{schema}" } },
    };

    private static JsonNode Schema(JsonTypeInfo type) =>
        type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });

    private static string Description(int status) => status switch
    {
        200 => "Done.",
        201 => "Stored.",
        303 => "Stored; on to where it was begun from.",
        400 => "A parameter, an id or the body cannot be read, or the consent is not known here.",
        401 => "No token and no session, or one that is not accepted.",
        403 => "A cookie from another site, a personal token without the scope, or consent that was denied or given by another account.",
        404 => "No such stored token or connection, or not yours.",
        409 => "The person has to consent (anew).",
        410 => "Revoked.",
        413 => "The body is too large.",
        415 => "The body has the wrong media type.",
        422 => "The provider does not accept the refresh token.",
        429 => "Too many requests; Retry-After says in how many seconds one may pass again.",
        502 => "The provider answers with an error; Retry-After says when to try again.",
        503 => "The vault or the provider cannot be reached; Retry-After says when to try again.",
        _ => "Something went wrong inside.",
    };
}

/// <summary>One route of the token manager.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Name">Path below <see cref="ManagerForm.Prefix"/>.</param>
/// <param name="OperationId">Name of the operation, also in errors.</param>
/// <param name="Summary">What it does, in a sentence.</param>
/// <param name="Answer">Schema of the successful answer.</param>
/// <param name="Statuses">Statuses it answers with besides 401, 403 (cookie from another site), 429, 500, 503.</param>
/// <param name="Handler">Picks the handler.</param>
internal sealed record ManagerRoute(
    string Method, string Name, string OperationId, string Summary, string Answer, IReadOnlyList<int> Statuses,
    Func<IServiceProvider, Func<HttpContext, Caller, Task>> Handler)
{
    /// <summary>The whole path.</summary>
    public string Pattern => ManagerForm.Prefix + Name;

    /// <summary>Scope that a personal access token needs; null for what none may do: to consent, in whatever way.</summary>
    public string? Scope { get; init; } = TokenScopes.Vault;

    /// <summary>Whether a browser gets a page, and only programs JSON.</summary>
    public bool IsPage { get; init; }

    /// <summary>Schema of the body; null for none.</summary>
    public string? Body { get; init; }

    /// <summary>Query parameters.</summary>
    public IReadOnlyList<ApiParameter> Query { get; init; } = [];
}
