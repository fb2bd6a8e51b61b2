using Berth.Local.Identity;
using Edge = Berth.Edge;

namespace Berth.Local.Hosting;

/// <summary>The configuration of the parts, made from the few settings of the whole.</summary>
internal static class Configuration
{
    /// <summary>Namespace of people's workspaces: the one that kubectl looks at when none is named.</summary>
    public const string Namespace = "default";

    private const string ClientId = "berth";

    /// <summary>The development provider, on the port it had before in this folder.</summary>
    public static DevelopmentProviderOptions Provider(LocalOptions options, DataFolder data)
    {
        const string remembered = "idp/port";
        var port =
            options.ProviderPort
            ?? (int.TryParse(data.Remembered(remembered), out var before) ? before : Math.Min(options.Port, 65534) + 1);
        DataFolder.WritePrivate(data.In(remembered), $"{port}");
        return new DevelopmentProviderOptions
        {
            Port = port,
            DataDirectory = data.In("idp"),
            ClientId = ClientId,
            ClientSecret = data.Secret("idp/client-secret"),
            RedirectUris = [options.PublicOrigin + "/auth/callback"],
            PostLogoutRedirectUris = [options.PublicOrigin + "/"],
            Audience = options.PublicOrigin,
        };
    }

    /// <summary>The edge.</summary>
    public static Edge.BerthEdgeOptions EdgeOf(
        LocalOptions options,
        DataFolder data,
        DevelopmentProvider? provider,
        DevelopmentProviderOptions? providerOptions
    ) =>
        new()
        {
            Edge = new Edge.EdgeOptions
            {
                PublicOrigin = options.PublicOrigin,
                WorkspaceDomain = "localhost",
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
                Session = new Edge.SessionOptions { Keys = [Base64(data.Secret("edge/session-key"))] },
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
            WorkspaceDomain = "localhost",
            Routing = Operator.RoutingMode.Edge,
            Edge = new Operator.EdgeOptions { JwksUrl = options.PublicOrigin + "/.well-known/workspace-identity/jwks.json" },
            // The data folder has one owner at a time, which is what a lease would say; after a kill nobody has to wait for one to run out.
            LeaderElection = new Operator.ElectionOptions { Enabled = false },
        };

    private static string IdentityKey(DataFolder data)
    {
        var path = data.In("edge/identity-key.pem");
        if (!File.Exists(path))
        {
            using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
            DataFolder.WritePrivate(path, key.ExportPkcs8PrivateKeyPem());
        }

        return path;
    }

    private static string Base64(string base64Url) => Convert.ToBase64String(System.Buffers.Text.Base64Url.DecodeFromChars(base64Url));
}
