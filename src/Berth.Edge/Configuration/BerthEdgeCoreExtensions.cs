using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Berth.Edge;

/// <summary>Composition of the security core and the data plane.</summary>
/// <remarks>
/// <code>
/// // IWorkspaceDirectory is yours; ISessionState, ISignInRecorder, IProgressPage, IEdgePages, IActivityMeter have plain defaults (TryAdd)
/// builder.Services.AddBerthEdgeCore(options);
/// app.UseBerthEdgeCore();                       // first: canonical request, authentication, workspace hosts (terminal), same-origin check
/// app.MapBerthEdgeCore();                       // /login /auth/callback /auth/workspace /logout /.well-known/workspace-identity/jwks.json
/// </code>
/// Register your own implementations before AddBerthEdgeCore, or replace them after it.
/// </remarks>
internal static class BerthEdgeCoreExtensions
{
    /// <summary>Adds the core.</summary>
    /// <exception cref="EdgeConfigurationException">The options have problems: all of them, in one message.</exception>
    public static IServiceCollection AddBerthEdgeCore(this IServiceCollection services, EdgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var settings = EdgeSettingsParser.Parse(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddHttpForwarder();
        services.TryAddSingleton<ISessionState, InMemorySessionState>();
        services.TryAddSingleton<ISignInRecorder, NullSignInRecorder>();
        services.TryAddSingleton<IEdgePages, PlainEdgePages>();
        services.TryAddSingleton<IProgressPage, PlainProgressPage>();
        services.TryAddSingleton<IActivityMeter, NoActivityMeter>();
        services.TryAddSingleton<BodyBytes>();

        services.AddSingleton<CanonicalRequestParser>();
        services.AddSingleton<RequestLimits>();
        services.AddSingleton<ApiCors>();
        services.AddSingleton(new CookieProtector(settings.CookieKeys));
        services.TryAddSingleton<ISessionTokens, NoSessionTokens>();
        services.AddSingleton<SessionRefresh>();
        services.AddHostedService<OpenSessionRefresh>();
        services.AddSingleton<SessionCookies>();
        services.AddSingleton<WorkspaceTickets>();

        services.AddSingleton<OidcBackchannel>();
        services.AddSingleton<IdentityProviders>();
        services.AddSingleton<IEdgeReadiness>(s => s.GetRequiredService<IdentityProviders>());
        services.AddHostedService(s => s.GetRequiredService<IdentityProviders>());
        services.AddSingleton<CodeExchange>();
        services.AddSingleton<TokenIntrospector>();
        services.AddSingleton<BearerAuthenticator>();
        services.AddSingleton<BearerGate>();
        services.AddSingleton<WorkspaceIdentitySigner>();

        services.AddSingleton<SignInFlowCookies>();
        services.AddSingleton<ReturnTargets>();
        services.AddSingleton<LoginEndpoint>();
        services.AddSingleton<CallbackEndpoint>();
        services.AddSingleton<LogoutEndpoint>();
        services.AddSingleton<ProviderLogoutEndpoint>();
        services.AddSingleton<WorkspaceHopEndpoint>();

        services.AddSingleton<SessionUse>();
        services.AddSingleton<OpenConnections>();
        services.AddSingleton<IOpenConnections>(s => s.GetRequiredService<OpenConnections>());
        services.AddSingleton<Waiting>();
        services.AddSingleton<Circuits>();
        services.AddSingleton(new RetryBudget(settings.Proxy.RetryPercent));
        services.AddSingleton<ForwardingClient>();
        services.AddSingleton<WorkspaceTransformer>();
        services.AddSingleton<WorkspaceForwarder>();
        services.AddSingleton<WorkspaceCallers>();
        services.AddSingleton<WorkspaceGate>();
        services.AddSingleton<ForwardAuthEndpoint>();
        return services;
    }

    /// <summary>Adds the core's middleware.</summary>
    public static IApplicationBuilder UseBerthEdgeCore(this IApplicationBuilder app) => app.UseMiddleware<EdgeCoreMiddleware>();

    /// <summary>Maps the core's endpoints of the edge origin.</summary>
    public static IEndpointRouteBuilder MapBerthEdgeCore(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        endpoints.MapGet("/login", services.GetRequiredService<LoginEndpoint>().HandleAsync);
        endpoints.MapGet(LoginEndpoint.CallbackPath + "/{provider}", services.GetRequiredService<CallbackEndpoint>().HandleAsync);
        endpoints.MapGet(LoginEndpoint.CallbackPath, services.GetRequiredService<CallbackEndpoint>().HandleAsync);
        endpoints.MapGet(WorkspaceHopEndpoint.Path, services.GetRequiredService<WorkspaceHopEndpoint>().HandleAsync);
        var logout = services.GetRequiredService<LogoutEndpoint>();
        endpoints.MapGet("/logout", logout.AskAsync);
        endpoints.MapPost("/logout", logout.DoAsync);
        var providerLogout = services.GetRequiredService<ProviderLogoutEndpoint>();
        endpoints.MapPost(ProviderLogoutEndpoint.BackChannelPath, providerLogout.BackChannelAsync);
        endpoints.MapGet(ProviderLogoutEndpoint.FrontChannelPath, providerLogout.FrontChannelAsync);
        endpoints.MapMethods(WorkspaceIdentitySigner.JwksPath, ["GET", "HEAD"],
            services.GetRequiredService<WorkspaceIdentitySigner>().WriteJwksAsync);
        return endpoints;
    }
}
