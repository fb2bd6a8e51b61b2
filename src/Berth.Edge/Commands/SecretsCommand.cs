using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>
/// <c>Berth.Edge secrets NAME ENTRY=KIND…</c>: makes what is missing of a Secret, for a step of the deployment that may run as often as it
/// likes. What is there is never changed, so keys outlive upgrades whichever tool makes them.
/// </summary>
internal static class SecretsCommand
{
    private const string Usage = """
        Usage: Berth.Edge secrets NAME ENTRY=KIND... [--namespace NAMESPACE]
          NAME         of the Secret; made when it is not there
          ENTRY=KIND   what it has to hold; an entry that is there stays as it is. KIND is one of
                         key       32 random bytes in base64: cookies, the token vault
                         p256      a private key on P-256 in PEM: the identity header
                         password  32 random letters and digits
          --namespace  default: that of the kubeconfig's context, or of the pod
        """;

    // As many as can lose against another writer before something else is wrong.
    private const int Attempts = 5;

    /// <summary>Runs the command.</summary>
    /// <param name="args">What stands after <c>secrets</c>.</param>
    /// <param name="connect">Gives the API and the default namespace.</param>
    /// <param name="output">Where the result is written; never a value.</param>
    /// <param name="errors">Where problems are written, one line each.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 when the Secret holds every entry; 1 when the API refused; 2 when the command cannot be understood.</returns>
    public static async Task<int> RunAsync(string[] args, Func<(IKubeClient Client, string Namespace)> connect, TextWriter output,
        TextWriter errors, CancellationToken cancellationToken)
    {
        var (name, entries, ns) = Read(args);
        if (name is null)
        {
            await errors.WriteLineAsync(Usage).ConfigureAwait(false);
            return 2;
        }

        var (client, defaultNamespace) = connect();
        using var owned = client as IDisposable;
        ns ??= defaultNamespace;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    var made = await FillAsync(client, ns, name, entries, cancellationToken).ConfigureAwait(false);
                    await output.WriteLineAsync(made.Count == 0 ? $"Secret {ns}/{name} holds everything already; nothing was changed."
                        : $"Secret {ns}/{name}: made {string.Join(", ", made)}.").ConfigureAwait(false);
                    return 0;
                }
                catch (KubeException error) when (attempt < Attempts && (error.IsConflict || error.IsAlreadyExists))
                {
                    // Somebody else wrote it meanwhile: what they made counts, so look again.
                }
            }
        }
        catch (KubeException error)
        {
            await errors.WriteLineAsync($"Secret {ns}/{name} could not be seen to: {error.Message}").ConfigureAwait(false);
            return 1;
        }
    }

    private static async Task<IReadOnlyList<string>> FillAsync(IKubeClient client, string ns, string name,
        IReadOnlyDictionary<string, string> entries, CancellationToken cancellationToken)
    {
        var existing = await client.TryGetAsync<Secret>(ns, name, cancellationToken).ConfigureAwait(false);
        string[] missing = [.. entries.Keys.Where(e => existing?.Data?.GetValueOrDefault(e) is not { Length: > 0 })];
        if (existing is null)
        {
            await client.CreateAsync(
                new Secret
                {
                    Metadata = new ObjectMeta
                    {
                        Name = name,
                        Namespace = ns,
                        Labels = new Dictionary<string, string>
                        {
                            ["app.kubernetes.io/part-of"] = "berth",
                            ["app.kubernetes.io/managed-by"] = "berth-edge",
                        },
                    },
                    Type = "Opaque",
                    Data = missing.ToDictionary(e => e, e => Make(entries[e]), StringComparer.Ordinal),
                },
                options: null,
                cancellationToken).ConfigureAwait(false);
        }
        else if (missing.Length > 0)
        {
            // On condition of the version that was looked at: two that run at once would else overwrite each other's keys.
            var patch = new JsonObject
            {
                ["metadata"] = new JsonObject { ["resourceVersion"] = existing.Metadata.ResourceVersion },
                ["data"] = new JsonObject(missing.Select(e => KeyValuePair.Create(e, (JsonNode?)Convert.ToBase64String(Make(entries[e]))))),
            };
            await client.PatchAsync<Secret>(ns, name, KubePatch.Merge(Encoding.UTF8.GetBytes(patch.ToJsonString())), options: null,
                cancellationToken).ConfigureAwait(false);
        }

        return missing;
    }

    private static byte[] Make(string kind) => Encoding.ASCII.GetBytes(kind switch
    {
        "key" => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
        "password" => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 32),
        _ => NewIdentityKey(),
    });

    private static string NewIdentityKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static (string? Name, IReadOnlyDictionary<string, string> Entries, string? Namespace) Read(string[] args)
    {
        string? ns = null;
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 1; i < args.Length; i++)
        {
            if (args[i] == "--namespace" && i + 1 < args.Length && ns is null && args[i + 1].Length > 0)
            {
                ns = args[++i];
            }
            else if (args[i].Split('=') is not [{ Length: > 0 } entry, "key" or "p256" or "password"]
                || !entry.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
                || !entries.TryAdd(entry, args[i].Split('=')[1]))
            {
                return (null, entries, null);
            }
        }

        return (entries.Count > 0 && args[0].Length > 0 && args[0][0] != '-' ? args[0] : null, entries, ns);
    }
}
