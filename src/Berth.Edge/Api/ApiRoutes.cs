namespace Berth.Edge;

/// <summary>The API's routes: one table that both serves them and describes them, so that the description cannot miss one.</summary>
internal static class ApiRoutes
{
    /// <summary>All routes.</summary>
    public static IReadOnlyList<ApiRoute> All { get; } =
    [
        new("GET", "/api/me", "getMe", "Who is asking", "Person", [200], static h => h.GetMeAsync),
        new("GET", "/api/templates", "listTemplates", "Templates that a workspace can be made from", "TemplateList", [200], static h =>
            h.ListTemplatesAsync),
        new("GET", "/api/workspaces", "listWorkspaces", "Your workspaces", "WorkspaceList", [200, 403], static h => h.ListAsync)
        {
            Query = [new("all", "boolean", "Everybody's; administrators only")],
        },
        new("POST", "/api/workspaces", "createWorkspace",
            "Create a workspace; without name and displayName the default one, which is returned with 200 when it is there already",
            "Workspace", [200, 201, 400, 409, 413, 415, 422], static h => h.CreateAsync) { Body = "CreateWorkspace" },
        new("GET", "/api/workspaces/events", "watchWorkspaces",
            "Your workspaces as server-sent events: the full list now and after each change", "EventStream", [200],
            static h => h.WatchAsync),
        new("GET", "/api/workspaces/{name}", "getWorkspace", "One workspace", "Workspace", [200, 304, 404], static h => h.GetAsync),
        new("PATCH", "/api/workspaces/{name}", "changeWorkspace", "Change displayName, parameters or resources (a merge: null removes)",
            "Workspace",
            [200, 400, 404, 412, 413, 415, 422], static h => h.ChangeAsync) { Body = "ChangeWorkspace", IfMatch = true },
        new("DELETE", "/api/workspaces/{name}", "deleteWorkspace", "Delete a workspace; its volume is kept unless it says otherwise", null,
            [202, 404, 412],
            static h => h.DeleteAsync) { IfMatch = true },
        new("POST", "/api/workspaces/{name}/start", "startWorkspace", "Start it", "Workspace", [202, 404, 409, 412], static h =>
            h.StartAsync) { IfMatch = true },
        new("POST", "/api/workspaces/{name}/stop", "stopWorkspace", "Stop it; its volume is kept", "Workspace", [202, 404, 409, 412],
            static h => h.StopAsync)
        {
            IfMatch = true,
        },
        new("POST", "/api/workspaces/{name}/restart", "restartWorkspace", "Stop it and start it anew; also retries one that failed",
            "Workspace",
            [202, 404, 409, 412], static h => h.RestartAsync) { IfMatch = true },
        new("POST", "/api/workspaces/{name}/keep", "keepWorkspace",
            "Keep it running, used or not, until a time or for some seconds (two hours when the body is empty); cut at the policy's bound, "
                + "see notice", "Workspace", [200, 400, 404, 409, 412, 413, 415, 422], static h => h.KeepAsync)
        {
            Body = "Keep",
            IfMatch = true,
        },
        new("DELETE", "/api/workspaces/{name}/keep", "unkeepWorkspace", "Take that back", "Workspace", [200, 404, 409, 412],
            static h => h.UnkeepAsync) { IfMatch = true },
        new("PUT", "/api/workspaces/{name}/holds/{hold}", "putWorkspaceHold",
            "Keep it running for a build or an agent; the same name replaces it, so that a program renews its own. Cut at the policy's "
                + "bound, see notice", "Workspace", [200, 400, 404, 409, 412, 413, 415, 422], static h => h.PutHoldAsync)
        {
            Body = "Hold",
            IfMatch = true,
        },
        new("DELETE", "/api/workspaces/{name}/holds/{hold}", "deleteWorkspaceHold", "The build or agent has ended", "Workspace",
            [200, 404, 409, 412], static h => h.DeleteHoldAsync) { IfMatch = true },
        new("GET", "/api/workspaces/{name}/events", "listWorkspaceEvents", "What happened to it lately, oldest first", "EventList",
            [200, 404], static h => h.EventsAsync),
        new("GET", "/api/workspaces/{name}/logs", "readWorkspaceLogs", "What its program writes, as text", "Text", [200, 400, 404, 409],
            static h => h.LogsAsync)
        {
            Query =
            [
                new("follow", "boolean", "Keep the answer open for what comes"), new("tail", "integer", "Only the last lines, 0 to 10000"),
                new("previous", "boolean", "Of the instance before the last restart"),
            ],
        },
        .. AccountRoutes.All,
        .. TokenRoutes.All,
        .. RequestRoutes.All,
        .. PeopleRoutes.All,
    ];

    /// <summary>Maps the routes and the description.</summary>
    public static void MapBerthApi(this IEndpointRouteBuilder endpoints)
    {
        foreach (var route in All)
        {
            var methods = route.Method == "GET" ? new[] { "GET", "HEAD" } : [route.Method];
            endpoints.MapMethods(route.Pattern, methods, context => ApiPipeline.RunAsync(
                context, route.OperationId, ProblemForm.Instance,
                (c, caller) => route.Handler(c.RequestServices.GetRequiredService<ApiHandlers>())(c, caller)))
                .WithDisplayName(route.OperationId).WithMetadata(new RequiredScope(route.Scope));
        }

        endpoints.MapMethods("/openapi/v1.json", ["GET", "HEAD"], OpenApiDocument.WriteAsync)
            .WithMetadata(new RequiredScope(TokenScopes.Any));
        endpoints.Map("/api/{**rest}", ApiPipeline.UnknownAsync).WithOrder(1000)
            .WithMetadata(new RequiredScope(TokenScopes.Any));
    }
}

/// <summary>One route.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Pattern">Path with parameters.</param>
/// <param name="OperationId">Name of the operation in the description.</param>
/// <param name="Summary">What it does, in a sentence.</param>
/// <param name="Answer">Schema of the successful answer; <c>Text</c>, <c>File</c> and <c>EventStream</c> are not JSON; null for
/// none.</param>
/// <param name="Statuses">Statuses it answers with besides 401, 403 (cookie from another site), 503.</param>
/// <param name="Handler">Picks the handler.</param>
internal sealed record ApiRoute(
    string Method, string Pattern, string OperationId, string Summary, string? Answer, IReadOnlyList<int> Statuses,
        Func<ApiHandlers, RequestHandler> Handler)
{
    /// <summary>
    /// Scope that a personal access token needs; null for what none may do. The default is reading for GET, writing for the rest.
    /// </summary>
    public string? Scope { get; init; } = Method == "GET" ? TokenScopes.ApiRead : TokenScopes.ApiWrite;

    /// <summary>Schema of the body; null for none.</summary>
    public string? Body { get; init; }

    /// <summary>Whether If-Match is honoured.</summary>
    public bool IfMatch { get; init; }

    /// <summary>Query parameters.</summary>
    public IReadOnlyList<ApiParameter> Query { get; init; } = [];
}

/// <summary>A query parameter.</summary>
internal sealed record ApiParameter(string Name, string Type, string Description)
{
    /// <summary>Whether it has to be given.</summary>
    public bool Required { get; init; }

    /// <summary>Format of a text, such as uuid; null for any.</summary>
    public string? Format { get; init; }
}

/// <summary>Handles a request of a caller who is known.</summary>
internal delegate Task RequestHandler(HttpContext context, Caller caller);
