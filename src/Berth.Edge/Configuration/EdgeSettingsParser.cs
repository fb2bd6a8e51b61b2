using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>Checks and parses <see cref="EdgeOptions"/>. Collects every problem before it complains.</summary>
internal sealed partial class EdgeSettingsParser
{
    private readonly List<string> _problems = [];
    private readonly Func<string, string> _readFile;

    private EdgeSettingsParser(Func<string, string> readFile) => _readFile = readFile;

    /// <summary>Parses the options.</summary>
    /// <param name="options">What was bound from configuration.</param>
    /// <param name="readFile">Reads a key or secret file; File.ReadAllText when null.</param>
    /// <exception cref="EdgeConfigurationException">All problems in one message.</exception>
    public static EdgeSettings Parse(EdgeOptions options, Func<string, string>? readFile = null) =>
        new EdgeSettingsParser(readFile ?? File.ReadAllText).Run(options);

    private static string Key(string name) => $"{EdgeOptions.Section}:{name}";

    private EdgeSettings Run(EdgeOptions options)
    {
        var origin = Origin(options.PublicOrigin);
        var domain = HostNames.Canonicalise(options.WorkspaceDomain);
        if (domain is null)
        {
            Problem("WorkspaceDomain",
                $"is '{options.WorkspaceDomain}'; give a DNS name such as workspaces.example.dev (localhost for one machine)");
        }
        else if (options.PathPrefix.Enabled)
        {
            OwnHost(origin?.Host, domain);
        }
        else if (origin is not null && HostNames.IsOneLabelBelow(origin.Value.Host, domain, out _))
        {
            Problem("WorkspaceDomain", $"makes the host of PublicOrigin ({origin.Value.Host}) look like a workspace; use a domain the "
                + $"edge is not one label below");
        }

        var issuers = Issuers(options);
        var administrators = Administrators(options, issuers);
        var networks = Networks(options.TrustedProxies);
        var cookieKeys = CookieKeys(options.Session);
        var identityKeys = new IdentityKeyReader(Problem, Read).Read(options.Identity);
        Times(options);
        if (options.Identity.ReuseFor < TimeSpan.Zero || options.Identity.ReuseFor > TimeSpan.FromSeconds(30))
        {
            Problem("Identity:ReuseFor", $"is {options.Identity.ReuseFor}; give a time between 0 (sign each request) and 00:00:30");
        }

        for (var i = 0; i < options.Proxy.ApplicationBearerTemplates.Count; i++)
        {
            Require("Proxy", $"ApplicationBearerTemplates:{i}", options.Proxy.ApplicationBearerTemplates[i]);
        }

        Limits(options.Limits);
        var cors = Cors(options.Cors);
        if (_problems.Count > 0 || origin is null || domain is null)
        {
            throw new EdgeConfigurationException(_problems);
        }

        return new EdgeSettings
        {
            PublicOrigin = origin.Value.Text,
            Scheme = origin.Value.Scheme,
            EdgeHost = origin.Value.Host,
            PortSuffix = origin.Value.PortSuffix,
            WorkspaceDomain = domain,
            IsPathPrefix = options.PathPrefix.Enabled,
            Issuers = issuers,
            Administrators = administrators,
            TrustedProxies = networks,
            CookieKeys = cookieKeys,
            IdentityKeys = identityKeys,
            IdentityReuse = options.Identity.ReuseFor,
            Sessions = new SessionPolicy(options.Session.IdleTimeout, options.Session.AbsoluteTimeout),
            Proxy = options.Proxy,
            Limits = options.Limits,
            Cors = cors,
        };
    }

    private (string Text, string Scheme, string Host, string PortSuffix)? Origin(string text)
    {
        const string Remedy = "give scheme, host and port only, such as https://berth.example.com";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            Problem("PublicOrigin", $"is '{text}', which is not an http(s) origin; {Remedy}");
            return null;
        }

        var host = HostNames.Canonicalise(uri.Host);
        if (host is null || uri.AbsolutePath != "/" || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            Problem("PublicOrigin", $"is '{text}', which is more than an origin; {Remedy}");
            return null;
        }

        if (uri.Scheme == "http" && !HostNames.IsLoopback(host))
        {
            Problem("PublicOrigin", $"is '{text}': http is for loopback only, cookies would travel in the clear; use https");
        }

        var port = uri.IsDefaultPort ? "" : $":{uri.Port}";
        return ($"{uri.Scheme}://{host}{port}", uri.Scheme, host, port);
    }

    private ImmutableHashSet<(string Issuer, string Subject)> Administrators(EdgeOptions options, ImmutableArray<IssuerSettings> issuers)
    {
        for (var i = 0; i < options.Administrators.Count; i++)
        {
            var administrator = options.Administrators[i];
            Require($"Administrators:{i}", "Subject", administrator.Subject);
            if (issuers.All(s => s.Issuer != administrator.Issuer))
            {
                Problem($"Administrators:{i}:Issuer", $"is '{administrator.Issuer}', which is none of Issuers; write it exactly as there");
            }
        }

        return [.. options.Administrators.Select(a => (a.Issuer, a.Subject))];
    }

    private ImmutableArray<IPNetwork> Networks(IList<string> texts)
    {
        var result = ImmutableArray.CreateBuilder<IPNetwork>();
        for (var i = 0; i < texts.Count; i++)
        {
            if (IPNetwork.TryParse(texts[i], out var network) && network.PrefixLength > 0)
            {
                result.Add(network);
            }
            else if (network.PrefixLength == 0 && texts[i].EndsWith("/0", StringComparison.Ordinal))
            {
                // Whoever can reach the listener could then say who they are for /auth/forward, and from where they come.
                Problem($"TrustedProxies:{i}", $"is '{texts[i]}', which trusts everybody; name the networks of your proxies");
            }
            else
            {
                Problem($"TrustedProxies:{i}", $"is '{texts[i]}'; give a network such as 10.0.0.0/8, or 10.1.2.3/32 for one address");
            }
        }

        return result.ToImmutable();
    }

    private ImmutableArray<ImmutableArray<byte>> CookieKeys(SessionOptions options)
    {
        var texts = options.Keys.Select((k, i) => (Name: $"Session:Keys:{i}", Text: (string?)k))
            .Concat(options.KeyFiles.Select((f, i) => (Name: $"Session:KeyFiles:{i}", Text: Read($"Session:KeyFiles:{i}", f))))
            .ToList();
        if (texts.Count == 0 && options.GenerateKey)
        {
            return [[.. RandomNumberGenerator.GetBytes(32)]];
        }

        if (texts.Count is 0 or > 2)
        {
            Problem("Session:Keys",
                $"has {texts.Count} keys; give one, or two while rotating (32 random bytes in base64 each: openssl rand -base64 32)");
        }

        var result = ImmutableArray.CreateBuilder<ImmutableArray<byte>>();
        foreach (var (name, text) in texts.Where(t => t.Text is not null))
        {
            var bytes = new byte[64];
            if (!Convert.TryFromBase64String(text!.Trim(), bytes, out var length) || length != 32)
            {
                Problem(name, "is not 32 bytes in base64; make one with: openssl rand -base64 32");
            }
            else if (bytes.AsSpan(0, 32).IndexOfAnyExcept(bytes[0]) < 0)
            {
                Problem(name, "is one byte repeated; make a random one with: openssl rand -base64 32");
            }
            else
            {
                result.Add([.. bytes.AsSpan(0, 32)]);
            }
        }

        return result.ToImmutable();
    }

    private void Times(EdgeOptions options)
    {
        Positive("Session:IdleTimeout", options.Session.IdleTimeout);
        Positive("Session:AbsoluteTimeout", options.Session.AbsoluteTimeout);
        Positive("Proxy:ConnectTimeout", options.Proxy.ConnectTimeout);
        Positive("Proxy:ResponseHeaderTimeout", options.Proxy.ResponseHeaderTimeout);
        Positive("Proxy:ActivityTimeout", options.Proxy.ActivityTimeout);
        Positive("Proxy:StreamActivityTimeout", options.Proxy.StreamActivityTimeout);
        Forwarding(options.Proxy);
        if (options.Session.IdleTimeout > options.Session.AbsoluteTimeout)
        {
            Problem("Session:IdleTimeout", "is longer than AbsoluteTimeout and would never act; shorten it");
        }
    }

    private void Positive(string name, TimeSpan value)
    {
        if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(31))
        {
            Problem(name, $"is {value}; give a time between 0 and 31 days, such as 08:00:00");
        }
    }

    private void Require(string parent, string name, string value)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            Problem($"{parent}:{name}", "is missing; give it");
        }
    }

    private string? Read(string name, string path)
    {
        try
        {
            return _readFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Problem(name, $"names '{path}', which cannot be read ({e.Message}); check the path and its permissions");
            return null;
        }
    }

    private void Problem(string name, string text) => _problems.Add($"{Key(name)} {text}.");
}
