using System.Text.Json.Serialization.Metadata;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Resources;

/// <summary>traefik.io/v1alpha1 IngressRoute, as far as it is written (fields of Traefik v3.0 and later).</summary>
public sealed record IngressRoute : IKubeResource<IngressRoute>
{
    /// <inheritdoc/>
    public static ResourceDescriptor Descriptor { get; } = new("traefik.io", "v1alpha1", "IngressRoute", "ingressroutes");

    /// <inheritdoc/>
    public static JsonTypeInfo<IngressRoute> JsonTypeInfo => BerthJson.Default.IngressRoute;

    /// <inheritdoc/>
    public string ApiVersion => Descriptor.ApiVersion;

    /// <inheritdoc/>
    public string Kind => Descriptor.Kind;

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    /// <summary>The routes.</summary>
    public IngressRouteSpec Spec { get; init => field = value ?? new(); } = new();
}

/// <summary>Routes of one host.</summary>
public sealed record IngressRouteSpec
{
    /// <summary>Entry points of Traefik; null: its default ones.</summary>
    public IReadOnlyList<string>? EntryPoints { get; init; }

    /// <summary>The routes; the one with the highest priority that matches is taken.</summary>
    public IReadOnlyList<Route> Routes { get; init => field = value ?? []; } = [];

    /// <summary>TLS; null: plain HTTP. An empty one takes Traefik's default certificate.</summary>
    public IngressRouteTls? Tls { get; init; }
}

/// <summary>One route.</summary>
public sealed record Route
{
    /// <summary>Always <c>Rule</c>.</summary>
    public string Kind { get; init => field = value ?? "Rule"; } = "Rule";

    /// <summary>Rule in Traefik's language.</summary>
    public string Match { get; init => field = value ?? ""; } = "";

    /// <summary>Explicit, since the default is the length of the rule.</summary>
    public int? Priority { get; init; }

    /// <summary>Passed in this order.</summary>
    public IReadOnlyList<TraefikReference>? Middlewares { get; init; }

    /// <summary>Where it leads.</summary>
    public IReadOnlyList<RouteService>? Services { get; init; }
}

/// <summary>Names a Traefik object.</summary>
public sealed record TraefikReference
{
    /// <summary>Name.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>Namespace; null: the route's own.</summary>
    public string? Namespace { get; init; }
}

/// <summary>A Service that a route leads to.</summary>
public sealed record RouteService
{
    /// <summary>Name.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary><c>Service</c>.</summary>
    public string? Kind { get; init; }

    /// <summary>Namespace; null: the route's own. Another one needs Traefik's allowCrossNamespace.</summary>
    public string? Namespace { get; init; }

    /// <summary>Port by number or name.</summary>
    public IntOrString? Port { get; init; }
}

/// <summary>TLS of a route.</summary>
public sealed record IngressRouteTls
{
    /// <summary>Secret with the certificate.</summary>
    public string? SecretName { get; init; }

    /// <summary>Certificate resolver of Traefik.</summary>
    public string? CertResolver { get; init; }
}

/// <summary>traefik.io/v1alpha1 Middleware, as far as it is written: exactly one of its fields is set.</summary>
public sealed record Middleware : IKubeResource<Middleware>
{
    /// <inheritdoc/>
    public static ResourceDescriptor Descriptor { get; } = new("traefik.io", "v1alpha1", "Middleware", "middlewares");

    /// <inheritdoc/>
    public static JsonTypeInfo<Middleware> JsonTypeInfo => BerthJson.Default.Middleware;

    /// <inheritdoc/>
    public string ApiVersion => Descriptor.ApiVersion;

    /// <inheritdoc/>
    public string Kind => Descriptor.Kind;

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    /// <summary>What it does.</summary>
    public MiddlewareSpec Spec { get; init => field = value ?? new(); } = new();
}

/// <summary>What a middleware does: one of the fields.</summary>
public sealed record MiddlewareSpec
{
    /// <summary>Asks a server about each request.</summary>
    public ForwardAuth? ForwardAuth { get; init; }

    /// <summary>Sets and removes headers.</summary>
    public HeadersMiddleware? Headers { get; init; }
}

/// <summary>Asks a server about each request.</summary>
public sealed record ForwardAuth
{
    /// <summary>URL that is asked.</summary>
    public string Address { get; init => field = value ?? ""; } = "";

    /// <summary>Set always: unset is a legacy mix that lets some forwarded headers of the client through.</summary>
    public bool? TrustForwardHeader { get; init; }

    /// <summary>Headers taken from the answer; one that the answer lacks is removed from the request.</summary>
    public IReadOnlyList<string>? AuthResponseHeaders { get; init; }

    /// <summary>
    /// Headers (Go's RE2, canonical names) that are removed from the request and taken from the answer where it has them.
    /// </summary>
    public string? AuthResponseHeadersRegex { get; init; }

    /// <summary>Cookies of the answer that reach the browser with an allowed request.</summary>
    public IReadOnlyList<string>? AddAuthCookiesToResponse { get; init; }

    /// <summary>Keep a redirect's Location as it is (Traefik 3.3).</summary>
    public bool? PreserveLocationHeader { get; init; }
}

/// <summary>Sets and removes headers.</summary>
public sealed record HeadersMiddleware
{
    /// <summary>On the way in; an empty value removes the header.</summary>
    public IReadOnlyDictionary<string, string>? CustomRequestHeaders { get; init; }

    /// <summary>On the way out; an empty value removes the header.</summary>
    public IReadOnlyDictionary<string, string>? CustomResponseHeaders { get; init; }
}
