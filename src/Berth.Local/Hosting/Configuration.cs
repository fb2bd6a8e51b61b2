using System.Globalization;
using Berth.Local.Kubernetes;
using Berth.Local.Identity;
using Edge = Berth.Edge;

namespace Berth.Local.Hosting;

/// <summary>The configuration of the parts, made from the few settings of the whole.</summary>
internal static class Configuration
{
    /// <summary>Namespace of people's workspaces: the one that kubectl looks at when none is named.</summary>
    public const string Namespace = "default";

    /// <summary>The demonstration of a connection: programs in workspaces ask the development provider who their person is.</summary>
    public const string Connection = "profile";

    private const string ClientId = "berth";

    private const string ConnectionsClientId = "berth-connections";

    private const string RememberedPort = "idp/port";

    /// <summary>The development provider, on the port it had before in this folder.</summary>
    /// <exception cref="LocalConfigurationException">The port that was remembered is none, or is one of the others.</exception>
    public static DevelopmentProviderOptions Provider(LocalOptions options, DataFolder data)
    {
        var port = options.ProviderPort ?? Remembered(data) ?? (options.Port < 65535 ? options.Port + 1 : options.Port - 1);
        if (port == options.Port || port == options.KubePort)
        {
            var other = port == options.Port ? "PORT" : "KUBE_PORT";
            throw new LocalConfigurationException([
                $"the development provider has port {port} in this folder, and {other} is the same: choose another {other}.",
            ]);
        }

        return new DevelopmentProviderOptions
        {
            Port = port,
            Address = options.ProviderAddress,
            Host = options.ProviderHost,
            DataDirectory = data.In("idp"),
            ClientId = ClientId,
            ClientSecret = data.Secret("idp/client-secret"),
            RedirectUris = [options.PublicOrigin + "/auth/callback"],
            PostLogoutRedirectUris = [options.PublicOrigin + "/"],
            Audience = options.PublicOrigin,
            OtherClients =
            [
                // A client of its own, for an audience of its own: what a connection is given does not speak for the person at the edge.
                new DevelopmentClient(
                    ConnectionsClientId,
                    data.Secret("idp/connections-secret"),
                    [options.PublicOrigin + "/api/auth/manager/offline-token/callback"],
                    $"http://localhost:{port}/userinfo"
                ),
            ],
        };
    }

    /// <summary>Keeps the provider's port for the next run; once the provider listens there, so that a slip is not remembered.</summary>
    public static void Remember(DataFolder data, int providerPort) =>
        DataFolder.WritePrivate(data.In(RememberedPort), providerPort.ToString(CultureInfo.InvariantCulture));

    /// <summary>The edge.</summary>
    public static Edge.BerthEdgeOptions EdgeOf(
        LocalOptions options,
        DataFolder data,
        DevelopmentProvider? provider,
        DevelopmentProviderOptions? providerOptions,
        string? database
    ) =>
        new()
        {
            Database = new Edge.DatabaseOptions { ConnectionString = database },

            // Nobody else goes on: whoever stops it does not wait for open windows.
            Drain = new Edge.DrainOptions { Lead = TimeSpan.Zero, Grace = TimeSpan.Zero },
            Vault = database is null ? new Accounts.VaultOptions() : Vault(data),
            Connections =
                database is null || provider is null || providerOptions is null
                    ? new Dictionary<string, Edge.ConnectionOptions>()
                    : new Dictionary<string, Edge.ConnectionOptions> { [Connection] = ProfileOf(provider, providerOptions) },
            Edge = new Edge.EdgeOptions
            {
                PublicOrigin = options.PublicOrigin,
                WorkspaceDomain = options.WorkspaceDomain,
                PathPrefix = new Edge.PathPrefixOptions { Enabled = options.PathPrefix },
                Issuers =
                [
                    provider is null || providerOptions is null
                        ? new Edge.IssuerOptions
                        {
                            Issuer = options.Provider!.Issuer,
                            ClientId = options.Provider.ClientId,
                            ClientSecret = options.Provider.ClientSecret,
                            Audience = options.Provider.Audience,
                        }
                        : new Edge.IssuerOptions
                        {
                            Issuer = provider.Issuer,
                            ClientId = providerOptions.ClientId,
                            ClientSecret = providerOptions.ClientSecret,
                            Audience = providerOptions.Audience,
                            AdministratorClaim = "groups",
                            AdministratorClaimValue = "berth-admins",
                            DisplayName = "the development provider",
                        },
                ],
                Session = new Edge.SessionOptions
                {
                    Keys = [Base64(data.Secret("edge/session-key"))],
                    IdleTimeout = options.Session ?? new Edge.SessionOptions().IdleTimeout,
                    AbsoluteTimeout = options.Session ?? new Edge.SessionOptions().AbsoluteTimeout,
                },
                Identity = new Edge.WorkspaceIdentityOptions { KeyFiles = [IdentityKey(data)] },
            },
            Workspaces = new Edge.WorkspaceOptions { Namespace = Namespace },
        };

    /// <summary>The operator: routes always lead to the edge, which finds workspaces by their Endpoints.</summary>
    public static Operator.OperatorOptions OperatorOf(LocalOptions options) =>
        new()
        {
            Namespace = Namespace,
            PublicOrigin = options.PublicOrigin,
            WorkspaceDomain = options.WorkspaceDomain,
            PathPrefix = options.PathPrefix,
            Routing = options.PathPrefix ? Operator.RoutingMode.None : Operator.RoutingMode.Edge,
            Edge = new Operator.EdgeOptions
            {
                JwksUrl = options.PublicOrigin + "/.well-known/workspace-identity/jwks.json",
                ProxyUrl = options.PublicOrigin + "/proxy",
            },
            Backup = new Operator.BackupOptions { Claim = InitialObjects.BackupClaim },

            // The data folder has one owner at a time, which is what a lease would say; after a kill nobody has to wait for one to run out.
            LeaderElection = new Operator.ElectionOptions { Enabled = false },
        };

    // Made once and kept: what they sealed opens with them alone. The name follows from the key, so that another key is not taken
    // for the same.
    private static Accounts.VaultOptions Vault(DataFolder data) =>
        new() { Keys = [VaultKey(data, "edge/vault-key")], FingerprintKeys = [VaultKey(data, "edge/vault-fingerprint-key")] };

    private static Accounts.VaultKeyOptions VaultKey(DataFolder data, string name)
    {
        var key = Base64(data.Secret(name, "what people allowed cannot be read any more, and Berth says so at its start"));
        return new Accounts.VaultKeyOptions
        {
            Id = "local-" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Convert.FromBase64String(key)))[..8],
            Key = key,
        };
    }

    private static Edge.ConnectionOptions ProfileOf(DevelopmentProvider provider, DevelopmentProviderOptions options)
    {
        var client = options.Find(ConnectionsClientId)!;
        return new Edge.ConnectionOptions
        {
            Issuer = provider.Issuer,
            ClientId = client.Id,
            ClientSecret = client.Secret,
            Scopes = ["openid", "profile", "email", "offline_access"],
            Upstream = new Edge.UpstreamOptions { BaseAddress = provider.Issuer, AllowedPaths = ["GET /userinfo"] },
        };
    }

    private static int? Remembered(DataFolder data)
    {
        if (data.Remembered(RememberedPort) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535
            ? port
            : throw new LocalConfigurationException([
                $"{data.In(RememberedPort)} holds no port: set IDP_PORT to the one the provider had (it is part of who people are), "
                    + "or remove the file.",
            ]);
    }

    private static string IdentityKey(DataFolder data)
    {
        var path = data.In("edge/identity-key.pem");
        if (File.Exists(path))
        {
            try
            {
                using var kept = System.Security.Cryptography.ECDsa.Create();
                kept.ImportFromPem(File.ReadAllText(path));
            }
            catch (Exception e) when (e is ArgumentException or System.Security.Cryptography.CryptographicException)
            {
                throw DataFolder.Damaged(path);
            }
        }
        else
        {
            using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
            DataFolder.WritePrivate(path, key.ExportPkcs8PrivateKeyPem());
        }

        return path;
    }

    private static string Base64(string base64Url) => Convert.ToBase64String(System.Buffers.Text.Base64Url.DecodeFromChars(base64Url));
}
