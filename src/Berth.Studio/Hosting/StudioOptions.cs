using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Berth.Studio.Identity;

namespace Berth.Studio.Hosting;

/// <summary>What the program was told by its environment, checked.</summary>
internal sealed record StudioOptions
{
    /// <summary>Enough for a person with many tabs; each costs a thread and 64 KiB of scrollback.</summary>
    public const int DefaultMaxTerminals = 16;

    /// <summary>
    /// The address to listen on: every one by default, because a kubelet's probe and the proxy come from outside of the pod.
    /// </summary>
    public IPAddress Address { get; init; } = IPAddress.IPv6Any;

    /// <summary>The port to listen on; 0 takes a free one.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>What the page calls the workspace where nobody says its name.</summary>
    public const string NoName = "workspace";

    /// <summary>What the page calls the workspace; null: as the identity header or <see cref="InfoFolder"/> say.</summary>
    public string? Name { get; init; }

    /// <summary>The folder in which the platform says later whose workspace this is; null: it said so from the start.</summary>
    public string? InfoFolder { get; init; }

    /// <summary>The folder that the workspace is: nothing outside of it is served.</summary>
    public required string Root { get; init; }

    /// <summary>
    /// The origin that the browser sees (of WORKSPACE_URL, which may name a folder on it), or null: then an Origin is compared with what
    /// the identity header says, or else with the
    /// request's Host.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>How people are recognised; null lets anybody in, which is possible on a loopback address only.</summary>
    public IdentityOptions? Identity { get; init; }

    /// <summary>How many terminals may exist at once.</summary>
    public int MaxTerminals { get; init; } = DefaultMaxTerminals;

    /// <summary>How long a terminal without a connection is kept.</summary>
    public TimeSpan TerminalGrace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whether logs are for a person at a console rather than for a machine.</summary>
    public bool Development { get; init; }

    /// <summary>The options that an environment describes, or every problem that it has.</summary>
    public static (StudioOptions? Options, IReadOnlyList<string> Problems) FromEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var problems = new List<string>();
        string? Get(string name) => environment.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

        var root = Get("WORKSPACE_ROOT");
        if (root is null)
        {
            problems.Add("WORKSPACE_ROOT is not set: give the absolute path of the workspace's folder.");
        }
        else if (!Path.IsPathFullyQualified(root) || !Directory.Exists(root))
        {
            problems.Add(
                $"WORKSPACE_ROOT is '{root}', which is not the absolute path of a folder that exists: mount the volume there or correct it."
            );
        }

        var address = IPAddress.IPv6Any;
        if (Get("STUDIO_ADDRESS") is { } text && !IPAddress.TryParse(text, out address!))
        {
            address = IPAddress.IPv6Any;
            problems.Add($"STUDIO_ADDRESS is '{text}', which is not an IP address: give for example 127.0.0.1 or 0.0.0.0.");
        }

        var origin = Get("WORKSPACE_URL");
        if (origin is not null && !TryOrigin(origin, out origin))
        {
            problems.Add(
                $"WORKSPACE_URL is '{Get("WORKSPACE_URL")}', which is not a web address: give for example https://name.example.org, "
                    + "and behind a proxy the folder too."
            );
        }

        var port = Number(Get("PORT"), "PORT", 8080, 0, 65535, problems);
        var maxTerminals = Number(Get("STUDIO_MAX_TERMINALS"), "STUDIO_MAX_TERMINALS", DefaultMaxTerminals, 1, 256, problems);
        var identity = ReadIdentity(Get, address, problems);
        return problems.Count > 0
            ? (null, problems)
            : (
                new StudioOptions
                {
                    Address = address,
                    Port = port,
                    Name = Get("WORKSPACE_NAME"),
                    InfoFolder = Get("WORKSPACE_INFO"),
                    Root = root!,
                    Origin = origin,
                    Identity = identity,
                    MaxTerminals = maxTerminals,
                    Development = (Get("DOTNET_ENVIRONMENT") ?? Get("ASPNETCORE_ENVIRONMENT")) == "Development",
                },
                []
            );
    }

    private static IdentityOptions? ReadIdentity(Func<string, string?> get, IPAddress address, List<string> problems)
    {
        string[] names = ["WORKSPACE_IDENTITY_ISSUER", "WORKSPACE_IDENTITY_AUDIENCE", "WORKSPACE_IDENTITY_JWKS"];
        var missing = names.Where(n => get(n) is null).ToList();
        var anonymous = get("STUDIO_ALLOW_ANONYMOUS");
        if (anonymous is not (null or "true" or "false"))
        {
            problems.Add($"STUDIO_ALLOW_ANONYMOUS is '{anonymous}': give true or false.");
        }

        if (anonymous == "true" && missing.Count == names.Length)
        {
            if (!IPAddress.IsLoopback(address))
            {
                problems.Add(
                    "STUDIO_ALLOW_ANONYMOUS lets everybody in who can reach the port, so it needs a loopback address: set "
                        + "STUDIO_ADDRESS=127.0.0.1."
                );
            }

            return null;
        }

        foreach (var name in missing)
        {
            problems.Add($"{name} is not set: without it nobody can be recognised. The platform that starts the workspace sets it.");
        }

        if (missing.Count > 0)
        {
            return null;
        }

        var (keysAddress, keys, problem) = ReadKeys(get("WORKSPACE_IDENTITY_JWKS")!);
        if (problem is not null)
        {
            problems.Add(problem);
        }

        return new IdentityOptions(get(names[0])!, get(names[1])!) { KeysAddress = keysAddress, Keys = keys };
    }

    private static (Uri? Address, IReadOnlyDictionary<string, ECParameters>? Keys, string? Problem) ReadKeys(string value)
    {
        if (!value.TrimStart().StartsWith('{'))
        {
            return Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
                ? (address, null, null)
                : (null, null, $"WORKSPACE_IDENTITY_JWKS is '{value}', which is neither an http(s) address nor a JSON Web Key Set.");
        }

        try
        {
            var keys = JsonWebKeys.Parse(Encoding.UTF8.GetBytes(value));
            return keys.Count > 0
                ? (null, keys, null)
                : (
                    null,
                    null,
                    "WORKSPACE_IDENTITY_JWKS holds no key for ES256: give a key with kty EC, crv P-256 and a kid, or an address."
                );
        }
        catch (FormatException e)
        {
            return (null, null, "WORKSPACE_IDENTITY_JWKS looks like a JSON Web Key Set, but " + e.Message + ".");
        }
    }

    private static bool TryOrigin(string text, out string origin)
    {
        origin = text;
        if (
            !Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https")
            || uri.Query.Length > 0
            || uri.UserInfo.Length > 0
            || uri.Fragment.Length > 0
        )
        {
            return false;
        }

        origin = uri.GetLeftPart(UriPartial.Authority);
        return true;
    }

    private static int Number(string? text, string name, int @default, int min, int max, List<string> problems)
    {
        if (text is null)
        {
            return @default;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }

        problems.Add($"{name} is '{text}': give a number from {min} to {max}.");
        return @default;
    }
}

/// <summary>Whose word about a person counts, and for whom it must be meant.</summary>
internal sealed record IdentityOptions(string Issuer, string Audience)
{
    /// <summary>Where the keys are fetched, unless they are given.</summary>
    public Uri? KeysAddress { get; init; }

    /// <summary>The keys themselves, when the configuration holds them.</summary>
    public IReadOnlyDictionary<string, ECParameters>? Keys { get; init; }
}
