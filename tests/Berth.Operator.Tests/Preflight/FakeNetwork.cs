using Berth.Operator.Preflight;

namespace Berth.Operator.Tests.Preflight;

/// <summary>A network of a test's making: names, and what addresses answer.</summary>
internal sealed class FakeNetwork(DateTimeOffset now) : IPreflightNetwork
{
    public const string Issuer = "https://idp.example.com/";

    public Dictionary<string, string[]> Names { get; } = new()
    {
        ["berth.example.com"] = ["192.0.2.1"],
        ["*.workspaces.example.dev"] = ["192.0.2.1"],
    };

    public Dictionary<string, string> Answers { get; } = new()
    {
        [Issuer + ".well-known/openid-configuration"] = Discovery(Issuer),
        [Issuer + "keys"] = """{"keys":[{"kty":"EC"}]}""",
    };

    public TimeSpan ClusterAhead { get; set; }

    public static string Discovery(string issuer, string algorithm = "RS256", string scheme = "https") =>
        $$"""
        {"issuer":"{{issuer}}","authorization_endpoint":"{{scheme}}://idp.example.com/auth","token_endpoint":"https://idp.example.com/token",
         "jwks_uri":"https://idp.example.com/keys","id_token_signing_alg_values_supported":["{{algorithm}}"]}
        """;

    public Task<IReadOnlyList<string>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        var wildcard = "*." + string.Join('.', host.Split('.').Skip(1));
        return Task.FromResult<IReadOnlyList<string>>(Names.GetValueOrDefault(host) ?? Names.GetValueOrDefault(wildcard) ?? []);
    }

    public Task<PreflightAnswer> GetAsync(Uri address, bool ofCluster, CancellationToken cancellationToken) =>
        ofCluster ? Task.FromResult(new PreflightAnswer(200, "{}", now + ClusterAhead))
        : Answers.TryGetValue(address.AbsoluteUri, out var body) ? Task.FromResult(new PreflightAnswer(200, body, now))
        : throw new HttpRequestException("Connection refused");
}
