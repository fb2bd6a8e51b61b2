using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Berth.Local.Identity;

namespace Berth.Local.Hosting;

/// <summary>
/// The folder by which edge and operator, as programs of their own, get to know the embedded API: <c>kubeconfig</c>, <c>edge.json</c>,
/// <c>operator.json</c>,
/// <c>identity-key.pem</c>, and <c>ready</c> while all of it is true. It holds keys, so only its owner reads it.
/// </summary>
internal sealed class ExportFolder
{
    private static readonly JsonSerializerOptions Form =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly string _path;

    private ExportFolder(string path) => _path = path;

    /// <summary>Opens it; what a run before said is no longer true.</summary>
    public static ExportFolder Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            var folder = new ExportFolder(path);
            folder.Withdraw();
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocalConfigurationException([$"BERTH_EXPORT is {path}, which cannot be written ({e.Message}): "
                + "give a folder that can."]);
        }
    }

    /// <summary>Writes everything, <c>ready</c> last.</summary>
    public void Write(
        LocalOptions options, DataFolder data, DevelopmentProvider provider, DevelopmentProviderOptions providerOptions, string kubeconfig)
    {
        // With any text for the database there is a vault; the edge gets its own by its environment.
        var edge = Configuration.EdgeOf(options, data, provider, providerOptions, "Host=");
        var key = In("identity-key.pem");
        DataFolder.WritePrivate(key, File.ReadAllText(edge.Edge.Identity.KeyFiles[0]));
        DataFolder.WritePrivate(In("kubeconfig"), kubeconfig);
        DataFolder.WritePrivate(In("edge.json"), Section("Edge", EdgeOf(edge, options, key)));
        DataFolder.WritePrivate(In("operator.json"), Section("Operator", OperatorOf(Configuration.OperatorOf(options))));
        DataFolder.WritePrivate(In("ready"), "");
    }

    /// <summary>Says that it is no longer true.</summary>
    public void Withdraw() => File.Delete(In("ready"));

    private string In(string name) => Path.Combine(_path, name);

    private static string Section(string name, JsonObject settings) =>
        new JsonObject { ["Berth"] = new JsonObject { [name] = settings } }.ToJsonString(Form) + "\n";

    private static JsonObject EdgeOf(Edge.BerthEdgeOptions options, LocalOptions local, string identityKey)
    {
        var issuer = options.Edge.Issuers[0];
        return new JsonObject
        {
            ["PublicOrigin"] = options.Edge.PublicOrigin,
            ["WorkspaceDomain"] = options.Edge.WorkspaceDomain,
            ["PathPrefix"] = new JsonObject { ["Enabled"] = options.Edge.PathPrefix.Enabled },
            ["Issuers"] = new JsonArray(new JsonObject
            {
                ["Issuer"] = issuer.Issuer,
                ["ClientId"] = issuer.ClientId,
                ["ClientSecret"] = issuer.ClientSecret,
                ["Audience"] = issuer.Audience,
                ["AdministratorClaim"] = issuer.AdministratorClaim,
                ["AdministratorClaimValue"] = issuer.AdministratorClaimValue,
                ["DisplayName"] = issuer.DisplayName,
            }),
            ["Session"] = new JsonObject { ["Keys"] = new JsonArray(options.Edge.Session.Keys[0]) },
            ["Identity"] = new JsonObject { ["KeyFiles"] = new JsonArray(identityKey) },
            ["Vault"] = new JsonObject
            {
                ["Keys"] = new JsonArray([.. options.Vault.Keys.Select(Key)]),
                ["FingerprintKeys"] = new JsonArray([.. options.Vault.FingerprintKeys.Select(Key)]),
            },

            // Over plain http the edge takes tokens to localhost alone, so by another name there is no connection to try.
            ["Connections"] = local.ProviderHost == "localhost"
                ? new JsonObject(options.Connections.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)Connection(c.Value))))
                : [],
            ["Workspaces"] = new JsonObject { ["Namespace"] = options.Workspaces.Namespace },
        };
    }

    private static JsonObject Key(Accounts.VaultKeyOptions key) => new() { ["Id"] = key.Id, ["Key"] = key.Key };

    private static JsonObject Connection(Edge.ConnectionOptions connection) => new()
    {
        ["Issuer"] = connection.Issuer,
        ["ClientId"] = connection.ClientId,
        ["ClientSecret"] = connection.ClientSecret,
        ["Scopes"] = new JsonArray([.. connection.Scopes.Select(s => (JsonNode)s)]),
        ["Upstream"] = new JsonObject
        {
            ["BaseAddress"] = connection.Upstream?.BaseAddress,
            ["AllowedPaths"] = new JsonArray([.. (connection.Upstream?.AllowedPaths ?? []).Select(p => (JsonNode)p)]),
        },
    };

    private static JsonObject OperatorOf(Operator.OperatorOptions options) => new()
    {
        ["Namespace"] = options.Namespace,
        ["PublicOrigin"] = options.PublicOrigin,
        ["WorkspaceDomain"] = options.WorkspaceDomain,
        ["PathPrefix"] = options.PathPrefix,
        ["Routing"] = options.Routing.ToString(),
        ["Edge"] = new JsonObject { ["JwksUrl"] = options.Edge.JwksUrl, ["ProxyUrl"] = options.Edge.ProxyUrl },
        ["Backup"] = new JsonObject { ["Claim"] = options.Backup.Claim },

        // There is one of it, beside the one API.
        ["LeaderElection"] = new JsonObject { ["Enabled"] = options.LeaderElection.Enabled },
    };
}
