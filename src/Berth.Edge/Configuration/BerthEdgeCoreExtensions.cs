using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Berth.Edge;

/// <summary>Composition of the security core and the data plane.</summary>
/// <remarks>
/// <code>
/// builder.Services.AddBerthEdgeCore(options);   // TryAdd: register IWorkspaceDirectory, ISessionState, ISignInRecorder, IProgressPage, IEdgePages yourself
/// app.UseBerthEdgeCore();                       // first: canonical request, authentication, workspace hosts (terminal), same-origin check
/// app.MapBerthEdgeCore();                       // /login /auth/callback /auth/workspace /logout /.well-known/workspace-identity/jwks.json
/// </code>
/// </remarks>
internal static class BerthEdgeCoreExtensions
{
    /// <summary>Adds the core.</summary>
    /// <exception cref="EdgeConfigurationException">The options have problems: all of them, in one message.</exception>
    public static IServiceCollection AddBerthEdgeCore(this IServiceCollection services, EdgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(options);
        services.TryAddSingleton<ISessionState, InMemorySessionState>();
        services.TryAddSingleton<ISignInRecorder, NullSignInRecorder>();
        return services;
    }

    /// <summary>Adds the core's middleware.</summary>
    public static IApplicationBuilder UseBerthEdgeCore(this IApplicationBuilder app) => app;

    /// <summary>Maps the core's endpoints of the edge origin.</summary>
    public static IEndpointRouteBuilder MapBerthEdgeCore(this IEndpointRouteBuilder endpoints) => endpoints;
}
