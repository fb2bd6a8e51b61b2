using System.Globalization;
using System.Net;

namespace Berth.Local;

/// <summary>How Berth runs on one machine; read from the environment.</summary>
public sealed record LocalOptions
{
    /// <summary>Port of the edge (<c>PORT</c>). Default 8080.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>
    /// Port of the development provider (<c>IDP_PORT</c>); null takes the one it had before in this folder, else the next after
    /// <see cref="Port"/>. It is part of who people are: another port is another issuer, whose people have other workspaces.
    /// </summary>
    public int? ProviderPort { get; init; }

    /// <summary>Port of the embedded Kubernetes API (<c>KUBE_PORT</c>). Default 0: a free one, written to the kubeconfig.</summary>
    public int KubePort { get; init; }

    /// <summary>Folder for everything that is kept (<c>BERTH_DATA</c>). Default <c>.local</c> in the current folder.</summary>
    public string DataDirectory { get; init; } = Path.GetFullPath(".local");

    /// <summary>
    /// Whether to use PostgreSQL when the machine has it (<c>BERTH_POSTGRES</c>: <c>auto</c> or <c>off</c>). Default auto.
    /// </summary>
    public bool UsePostgres { get; init; } = true;

    /// <summary>
    /// Whether workspaces are folders of <c>workspaces.localhost</c> (<c>BERTH_PATH_PREFIX</c>: <c>on</c> or <c>off</c>), as where there is
    /// no wildcard DNS.
    /// Default off: a host each.
    /// </summary>
    public bool PathPrefix { get; init; }

    /// <summary>
    /// How long a session lasts, used or not (<c>BERTH_SESSION</c>: <c>hours:minutes:seconds</c>), to see what happens at its end. Default
    /// null: as the edge has it by itself, 24 hours and 8 without use.
    /// </summary>
    public TimeSpan? Session { get; init; }

    /// <summary>
    /// Lowest level logged (<c>BERTH_LOG</c>): Trace, Debug, Information, Warning, Error. Default Warning: the terminal belongs to the
    /// person.
    /// </summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>
    /// Another OpenID Provider in the place of the development one (<c>OIDC_ISSUER</c>, <c>OIDC_CLIENT_ID</c>, <c>OIDC_CLIENT_SECRET</c>,
    /// <c>OIDC_AUDIENCE</c>).
    /// </summary>
    public ExternalProvider? Provider { get; init; }

    /// <summary>
    /// Folder for what edge and operator have to know (<c>BERTH_EXPORT</c>); they then run elsewhere, as in docs/examples/compose, and here
    /// only the embedded API, its process runner and the development provider. Default null: everything runs here.
    /// </summary>
    public string? Export { get; init; }

    /// <summary>
    /// Address the development provider listens on (<c>IDP_ADDRESS</c>). Default null: loopback. It asks nobody for a password, so another
    /// one belongs in a container whose port is published on its host's loopback alone.
    /// </summary>
    public IPAddress? ProviderAddress { get; init; }

    /// <summary>
    /// Name the development provider is reached by (<c>IDP_HOST</c>): <c>localhost</c>, the default, or one below it, such as
    /// <c>idp.localhost</c>, where others than this container have to find it by a name of their own.
    /// </summary>
    public string ProviderHost { get; init; } = "localhost";

    /// <summary>The origin people use.</summary>
    public string PublicOrigin => $"http://localhost:{Port}";

    /// <summary>The domain of workspaces, or their one host.</summary>
    public string WorkspaceDomain => PathPrefix ? "workspaces.localhost" : "localhost";

    /// <summary>Reads the environment and checks all of it.</summary>
    /// <param name="read">Gives the value of a variable, or null.</param>
    /// <exception cref="LocalConfigurationException">Names every variable that is wrong, and the remedy.</exception>
    public static LocalOptions Parse(Func<string, string?> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var problems = new List<string>();
        string? Get(string name) => read(name) is { Length: > 0 } value ? value : null;
        int? GetPort(string name, int lowest)
        {
            if (Get(name) is not { } text)
            {
                return null;
            }

            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port >= lowest && port <= 65535)
            {
                return port;
            }

            problems.Add($"{name} is \"{Shorten(text)}\": give a port from {lowest} to 65535.");
            return null;
        }

        var level = LogLevel.Warning;
        if (Get("BERTH_LOG") is { } levelText && (!Enum.TryParse(levelText, ignoreCase: true, out level) || !Enum.IsDefined(level)))
        {
            problems.Add($"BERTH_LOG is \"{Shorten(levelText)}\": give Trace, Debug, Information, Warning, Error or None.");
        }

        var postgres = Get("BERTH_POSTGRES") ?? "auto";
        if (postgres is not ("auto" or "off"))
        {
            problems.Add($"BERTH_POSTGRES is \"{Shorten(postgres)}\": give auto or off.");
        }

        var pathPrefix = Get("BERTH_PATH_PREFIX") ?? "off";
        if (pathPrefix is not ("on" or "off"))
        {
            problems.Add($"BERTH_PATH_PREFIX is \"{Shorten(pathPrefix)}\": give on or off.");
        }

        TimeSpan? session = null;
        if (Get("BERTH_SESSION") is { } sessionText)
        {
            session = TimeSpan.TryParse(sessionText, CultureInfo.InvariantCulture, out var time) ? time : TimeSpan.Zero;
            if (session <= TimeSpan.Zero || session > TimeSpan.FromDays(31))
            {
                problems.Add($"BERTH_SESSION is \"{Shorten(sessionText)}\": give a time up to 31 days, such as 00:30:00.");
            }
        }

        ExternalProvider? provider = null;
        if (Get("OIDC_ISSUER") is { } issuer)
        {
            if (
                !Uri.TryCreate(issuer, UriKind.Absolute, out var uri)
                || uri.Scheme is not ("https" or "http")
                || (uri.Scheme == "http" && !uri.IsLoopback)
            )
            {
                problems.Add(
                    $"OIDC_ISSUER is \"{Shorten(issuer)}\": give the provider's https URL as its discovery document states it (http only "
                        + "on loopback)."
                );
            }

            if (Get("OIDC_CLIENT_ID") is not { } clientId)
            {
                problems.Add("OIDC_CLIENT_ID is missing: OIDC_ISSUER needs the id of the client registered there.");
            }
            else
            {
                provider = new ExternalProvider(issuer, clientId, Get("OIDC_CLIENT_SECRET"), Get("OIDC_AUDIENCE"));
            }
        }
        else
        {
            problems.AddRange(
                new[] { "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_AUDIENCE" }
                    .Where(name => Get(name) is not null)
                    .Select(name => $"{name} is set, but OIDC_ISSUER is not: set both, or neither for the development provider.")
            );
        }

        IPAddress? providerAddress = null;
        if (Get("IDP_ADDRESS") is { } addressText && !IPAddress.TryParse(addressText, out providerAddress))
        {
            problems.Add($"IDP_ADDRESS is \"{Shorten(addressText)}\": give an IP address, such as 0.0.0.0.");
        }

        var providerHost = Get("IDP_HOST") ?? "localhost";
        if (
            !(providerHost == "localhost" || providerHost.EndsWith(".localhost", StringComparison.Ordinal))
            || Uri.CheckHostName(providerHost) != UriHostNameType.Dns
        )
        {
            problems.Add($"IDP_HOST is \"{Shorten(providerHost)}\": give localhost or a name below it, such as idp.localhost: the provider "
                + "asks nobody for a password.");
        }

        if (providerAddress is not null && Get("BERTH_EXPORT") is null)
        {
            problems.Add("IDP_ADDRESS is set, but BERTH_EXPORT is not: the provider asks nobody for a password, "
                + "and listens elsewhere in a container only.");
        }

        var options = new LocalOptions
        {
            Port = GetPort("PORT", 1) ?? 8080,
            ProviderPort = GetPort("IDP_PORT", 1),
            KubePort = GetPort("KUBE_PORT", 0) ?? 0,
            DataDirectory = Path.GetFullPath(Get("BERTH_DATA") ?? ".local"),
            UsePostgres = postgres == "auto",
            PathPrefix = pathPrefix == "on",
            Session = session,
            LogLevel = level,
            Provider = provider,
            Export = Get("BERTH_EXPORT") is { } export ? Path.GetFullPath(export) : null,
            ProviderAddress = providerAddress,
            ProviderHost = providerHost,
        };
        if (options.Port == options.ProviderPort || options.Port == options.KubePort || options.ProviderPort == options.KubePort)
        {
            problems.Add("PORT, IDP_PORT and KUBE_PORT must be different ports.");
        }

        if (options.Export is not null && provider is not null)
        {
            problems.Add("BERTH_EXPORT and OIDC_ISSUER are both set: with a provider of your own, tell the edge about it yourself, "
                + "and leave one out.");
        }

        return problems.Count == 0 ? options : throw new LocalConfigurationException(problems);
    }

    // What a person typed is shown, but never all of a wall of text.
    private static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";
}

/// <summary>An OpenID Provider of somebody else.</summary>
/// <param name="Issuer">Its issuer.</param>
/// <param name="ClientId">Our client there.</param>
/// <param name="ClientSecret">The client's secret; null for a public client.</param>
/// <param name="Audience">Audience of access tokens for the API; null accepts no bearer tokens.</param>
public sealed record ExternalProvider(string Issuer, string ClientId, string? ClientSecret, string? Audience);

/// <summary>The environment cannot be used; the message has one line for each problem.</summary>
public sealed class LocalConfigurationException(IReadOnlyList<string> problems)
    : Exception("Berth cannot start:\n" + string.Join('\n', problems.Select(p => "  - " + p)))
{
    /// <summary>One sentence each.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
