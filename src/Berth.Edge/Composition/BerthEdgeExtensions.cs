using Berth.Accounts;
using Berth.Edge;
using Berth.Resources;
using Kube.Runtime;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Composes the whole edge into a web application: the program of this project and the one-machine Berth both do it with these two calls.
/// </summary>
/// <remarks>
/// <code>
/// builder.Services.AddSingleton&lt;IKubeClient&gt;(client);          // required
/// builder.Services.AddSingleton&lt;IAccountStore&gt;(store);          // else accounts are kept in memory
/// builder.Services.AddBerthEdge(options);
/// var app = builder.Build();
/// app.UseBerthEdge();
/// </code>
/// </remarks>
public static class BerthEdgeExtensions
{
    /// <summary>Adds the edge.</summary>
    /// <exception cref="EdgeConfigurationException">The options have problems: all of them, in one message.</exception>
    public static IServiceCollection AddBerthEdge(this IServiceCollection services, BerthEdgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IAccountStore, InMemoryAccountStore>();
        services.AddSingleton<CurrentRequest>();
        services.AddRoutingCore();
        services.AddSingleton(options.Edge);
        services.AddSingleton(options.Workspaces);
        services.AddSingleton(options.Pages);
        services.AddSingleton(options.Management);
        services.AddSingleton(options.Drain);
        services.AddHostedService<DrainService>();

        services.AddSingleton<WorkspaceTable>();
        services.AddSingleton<IWorkspaceDirectory>(s => s.GetRequiredService<WorkspaceTable>());
        services.AddSingleton<WorkspaceWatch>();
        services.AddHostedService(s => s.GetRequiredService<WorkspaceWatch>());

        // After the watch, so that it ends before it: its last writes still see what others wrote.
        services.AddSingleton(options.Edge.ToUrls());
        services.AddSingleton<ActivityTable>();
        services.AddSingleton<IActivityMeter, ActivityMeter>();
        services.AddSingleton<PolicyReader>();
        services.AddSingleton<ActivityWriter>();
        services.AddSingleton<ActivityLease>();
        services.AddSingleton<ApplicationProbe>();
        services.AddSingleton<ActivityService>();
        services.AddHostedService(s => s.GetRequiredService<ActivityService>());
        services.AddSingleton<WorkspaceService>();
        services.AddSingleton<HoldService>();
        services.AddSingleton<WorkspaceInsight>();
        services.AddSingleton<AuditTrail>();
        services.AddSingleton<LiveStream>();
        services.AddSingleton<ApiHandlers>();
        services.AddSingleton<AccountHandlers>();
        services.AddSingleton<AuditHandlers>();
        services.AddSingleton<PeopleHandlers>();
        services.AddSingleton(options.PersonalTokens);
        services.AddSingleton<PeopleSeen>();
        services.AddSingleton<PersonalTokenAuthenticator>();
        services.AddSingleton<PersonalTokenService>();
        services.AddSingleton<TokenHandlers>();
        services.AddSingleton<RequestIds>();
        services.AddSingleton(new RequestHistory());
        services.AddSingleton<RefusalLedger>();
        services.AddSingleton<ForwardFailures>();
        services.Configure<LoggerFilterOptions>(QuietForwarder);
        services.AddSingleton<RequestHandlers>();
        services.AddSingleton<RequestPages>();
        services.AddSingleton<WorkspaceDefaults>();
        services.AddSingleton<PreferenceReader>();
        services.AddSingleton<PersonalEnvironment>();
        services.AddSingleton<WorkspaceHistory>();
        services.AddHostedService(s => s.GetRequiredService<WorkspaceHistory>());
        services.AddSingleton(options.Database);
        services.AddHostedService<UpkeepService>();

        services.AddSingleton(Upstreams(options, []));
        services.AddSingleton<UpstreamMetrics>();
        services.AddSingleton<UpstreamClients>();
        services.AddSingleton<UpstreamLimits>();
        services.AddSingleton<UpstreamOpenCalls>();
        services.AddSingleton<UpstreamForwarder>();
        services.AddSingleton<WorkspaceTokenReview>();
        services.AddSingleton<UpstreamAuthenticator>();
        services.AddSingleton<UpstreamGate>();

        services.AddSingleton<EdgeAssets>();
        services.AddSingleton<PageLayout>();
        services.AddSingleton<CsrfTokens>();
        services.AddSingleton<PublicPages>();
        services.AddSingleton<DashboardPages>();
        services.AddSingleton<ConnectionPages>();
        services.AddSingleton<TokenPages>();
        services.AddSingleton<IEdgePages, BerthEdgePages>();
        services.AddSingleton<IProgressPage, ProgressPage>();
        services.AddSingleton<ISessionState, AccountSessionState>();
        services.AddSingleton<ISignInRecorder, AccountSignInRecorder>();
        services.AddBerthEdgeCore(options.Edge);

        services.AddBerthVault(options);
        services.AddSingleton<AccountsService>();
        services.AddHostedService(s => s.GetRequiredService<AccountsService>());
        services.AddSingleton(options.Vault);
        services.AddSingleton<KeyAges>();
        services.AddHostedService(s => s.GetRequiredService<KeyAges>());
        services.AddSingleton(_ =>
            new PrometheusCollector("Berth.", "Kube.", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql"));
        services.AddSingleton<EdgeMetrics>();
        services.AddSingleton(s => s.GetRequiredService<EdgeMetrics>().Bytes);
        services.AddSingleton<HealthMetrics>();
        services.AddSingleton<ManagementServer>();
        services.AddSingleton<IEdgeStatus>(s => s.GetRequiredService<ManagementServer>());
        services.AddHostedService(s => s.GetRequiredService<ManagementServer>());
        return services;
    }

    /// <summary>Adds the edge's pipeline: it answers every request.</summary>
    public static WebApplication UseBerthEdge(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);

        // Made now, so that they see the first measurement.
        app.Services.GetRequiredService<PrometheusCollector>();
        var services = app.Services;
        services.GetRequiredService<EdgeMetrics>().Observe(
            services.GetRequiredService<WorkspaceTable>(),
            services.GetRequiredService<IOpenConnections>(),
            services.GetRequiredService<WorkspaceWatch>(),
            services.GetRequiredService<IAccountStore>(),
            services.GetRequiredService<IdentityProviders>(),
            services.GetRequiredService<TimeProvider>());
        services.GetRequiredService<HealthMetrics>();
        app.UseMiddleware<RequestMetrics>();
        app.UseMiddleware<DrainMiddleware>();
        app.UseMiddleware<StartupGate>();
        app.UseBerthEdgeCore();
        app.UseRouting();
        app.UseMiddleware<TokenScopeMiddleware>();
        app.MapBerthEdgeCore();
        app.MapBerthApi();
        app.MapBerthManager();
        app.MapBerthPages();
        return app;
    }

    /// <summary>
    /// Limits of the public listener: 64 KiB and 200 headers (the edge refuses half of that in words), no Server header, slow headers cut
    /// after 15 s. Every server the edge is composed into has to be configured with it.
    /// </summary>
    public static void ConfigureBerthEdge(KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.AddServerHeader = false;

        // A line ends with CR LF. The server would take LF alone as well, and a proxy before us may not.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        kestrel.Limits.MaxRequestHeadersTotalSize = RequestSizes.ServerHeaders;
        kestrel.Limits.MaxRequestHeaderCount = RequestSizes.ServerHeaderCount;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
    }

    /// <summary>Reads the options and checks them: everything that is wrong in one message.</summary>
    /// <exception cref="EdgeConfigurationException">There are problems.</exception>
    internal static BerthEdgeOptions ReadAndCheck(IConfiguration configuration)
    {
        var problems = new List<string>();
        var options = BerthEdgeOptions.Read(configuration, problems);
        var named = problems.Select(p => p.Split(' ')[0]).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var more = new List<string>();
        Check(options, more);

        // A value that could not be read has been named; that its default does not do either is no news.
        problems.AddRange(more.Where(p => !named.Contains(p.Split(' ')[0])));
        return problems.Count == 0 ? options : throw new EdgeConfigurationException(problems);
    }

    /// <summary>
    /// Leaves out YARP's warning with a stack for each request that the edge or its client ends; the edge writes a line of its own for what
    /// fails. <see cref="AddBerthEdge"/> does it, but for whoever brings a logger factory of their own.
    /// </summary>
    public static void QuietForwarder(LoggerFilterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);

        // First of all rules, so that one of the configuration for the same category still wins and has YARP's own lines back.
        options.Rules.Insert(0, new LoggerFilterRule(null, ForwardFailures.ForwarderCategory, LogLevel.Error, null));
    }

    private static void Check(BerthEdgeOptions options)
    {
        var problems = new List<string>();
        Check(options, problems);
        if (problems.Count > 0)
        {
            throw new EdgeConfigurationException(problems);
        }
    }

    private static void Check(BerthEdgeOptions options, List<string> problems)
    {
        try
        {
            EdgeSettingsParser.Parse(options.Edge);
        }
        catch (EdgeConfigurationException error)
        {
            problems.AddRange(error.Problems);
        }

        options.Workspaces.Check(problems);
        options.Pages.Check(problems);
        options.Listener.Check(problems);
        options.Drain.Check(problems);
        options.Management.Check(problems);
        options.Database.Check(problems);
        options.PersonalTokens.Check(problems);
        foreach (var name in options.Connections.Keys.Where(n => !UpstreamPaths.IsConnectionName(n)))
        {
            problems.Add($"{EdgeOptions.Section}:Connections:{name} is not a name for a connection; use at most 63 lower-case letters, "
                + "digits and dashes.");
        }

        Upstreams(options, problems);
        VaultComposition.Check(options, problems);
    }

    private static UpstreamSettingsSet Upstreams(BerthEdgeOptions options, ICollection<string> problems) =>
        new UpstreamSettingsParser(problems).Parse(options.Connections.ToDictionary(c => c.Key, c => c.Value.Upstream));
}
