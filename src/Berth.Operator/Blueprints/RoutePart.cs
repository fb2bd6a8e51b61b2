using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>
/// The Traefik route and its middlewares. While the pod is not ready the host leads to the edge, which shows progress; the edge's own paths
/// on the host always do.
/// </summary>
internal static class RoutePart
{
    /// <summary>The header that tells the application who comes; only the edge may set it.</summary>
    internal const string IdentityHeader = "X-Workspace-Identity";

    /// <summary>What stands in the identity header until the edge has answered; no token looks like it.</summary>
    private const string NoIdentity = "none";

    private const string HeadersSuffix = "-headers";
    private const string AuthSuffix = "-auth";

    // Any explicit pair does, as long as the edge's paths win; the default would be the length of the rule.
    private const int HostPriority = 100;
    private const int StreamsPriority = 150;
    private const int EdgePathsPriority = 200;

    internal static IngressRoute Make(UserWorkspace workspace, BlueprintSettings settings, bool podReady)
    {
        // The name was checked to be a DNS label and the domain at start: nothing in them can end the rule's quotes.
        var host = $"Host(`{settings.Urls.Host(workspace.Metadata.Name!)}`)";
        var edge = EdgeBackend(workspace, settings);
        Route[] routes =
            settings.Routing == RoutingMode.ForwardAuth && podReady
                ?
                [
                    new Route
                    {
                        Match = $"{host} && PathPrefix(`/.berth/`)",
                        Priority = EdgePathsPriority,
                        Services = [edge],
                    },

                    // What is switched to another protocol goes through the edge: it counts messages as use, and cuts the connection when
                    // a session or share ends, which nobody can do whom Traefik only asks at the beginning. Any upgrade, not WebSocket
                    // alone: a list such as "websocket, x" is one to some servers, and the edge lets no other through. Event streams, for
                    // the same reason.
                    new Route
                    {
                        Match = $"{host} && (HeaderRegexp(`Upgrade`, `.`) || HeaderRegexp(`Accept`, `(?i)text/event-stream`))",
                        Priority = StreamsPriority,
                        Services = [edge],
                    },
                    new Route
                    {
                        Match = host,
                        Priority = HostPriority,
                        Middlewares =
                        [
                            new TraefikReference { Name = workspace.Metadata.Name + HeadersSuffix },
                            new TraefikReference { Name = workspace.Metadata.Name + AuthSuffix },
                        ],
                        Services =
                        [
                            new RouteService
                            {
                                Name = workspace.Metadata.Name!,
                                Kind = "Service",
                                Port = Blueprint.ServicePort,
                            },
                        ],
                    },
                ]
                :
                [
                    new Route
                    {
                        Match = host,
                        Priority = HostPriority,
                        Services = [edge],
                    },
                ];

        return new IngressRoute
        {
            Metadata = Children.Owned(workspace),
            Spec = new IngressRouteSpec
            {
                EntryPoints = settings.EntryPoints.Count == 0 ? null : settings.EntryPoints,
                Routes = routes,
                Tls = settings.Tls,
            },
        };
    }

    internal static ImmutableArray<Middleware> Middlewares(UserWorkspace workspace, BlueprintSettings settings) =>
        settings.Routing != RoutingMode.ForwardAuth
            ? []
            :
            [
                // Before the edge is asked: what a client sends under the name of the identity header reaches nobody. Overwritten, where an
                // empty value would remove it: some API servers take an empty string in a custom resource for null and refuse it.
                new Middleware
                {
                    Metadata = Children.Owned(workspace, HeadersSuffix),
                    Spec = new MiddlewareSpec
                    {
                        Headers = new HeadersMiddleware
                        {
                            CustomRequestHeaders = new Dictionary<string, string> { [IdentityHeader] = NoIdentity },
                        },
                    },
                },
                new Middleware
                {
                    Metadata = Children.Owned(workspace, AuthSuffix),
                    Spec = new MiddlewareSpec
                    {
                        ForwardAuth = new ForwardAuth
                        {
                            // The address names the workspace that this middleware stands before: an answer about another one, for which
                            // somebody made Traefik ask, is no answer to this question.
                            Address = $"{settings.ForwardAuthAddress}/{workspace.Metadata.Name}",

                            // Unset would be a legacy mix. False: host, method and path of the question are those that Traefik routes by.
                            // True would take them from the client where its address is one of the entry point's trusted ones, as behind
                            // a balancer that passes them on.
                            TrustForwardHeader = false,

                            // A header that the answer lacks is removed from the request. Cookie: the edge answers with the request's own
                            // cookies but for its session, and with its Authorization unless that was for the edge: the application must
                            // see neither.
                            AuthResponseHeaders = [IdentityHeader, "Cookie", "Authorization"],
                            AuthResponseHeadersRegex = IdentityHeaders.TraefikPattern,

                            // The edge renews the session of somebody who is at work; without this the browser would never hear of it.
                            AddAuthCookiesToResponse =
                            [
                                EdgeCookies.WorkspaceSession(settings.Urls.PublicOrigin.Scheme == Uri.UriSchemeHttps),
                            ],
                        },
                    },
                },
            ];

    /// <summary>Names of all middlewares a workspace may have, to find those that should not be.</summary>
    internal static string[] MiddlewareNames(string workspace) => [workspace + HeadersSuffix, workspace + AuthSuffix];

    private static RouteService EdgeBackend(UserWorkspace workspace, BlueprintSettings settings) =>
        new()
        {
            Name = settings.Edge.Name,
            Kind = "Service",
            Namespace = settings.Edge.Namespace == workspace.Metadata.Namespace ? null : settings.Edge.Namespace,
            Port = settings.Edge.Port,
        };
}
