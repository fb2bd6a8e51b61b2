using System.Text.Json;

namespace Berth.Accounts;

/// <summary>What the vault needs of a provider's discovery document.</summary>
/// <param name="Token">Token endpoint.</param>
/// <param name="Revocation">Revocation endpoint (RFC 7009), where there is one.</param>
/// <param name="UsesPost">Whether the client's secret goes into the form, for providers that do not take the Basic scheme.</param>
internal sealed record ProviderEndpoints(Uri Token, Uri? Revocation, bool UsesPost)
{
    /// <summary>Reads a document; null and the reason when it cannot be used.</summary>
    public static (ProviderEndpoints? Endpoints, string? Problem) Parse(ReadOnlyMemory<byte> document, string issuer)
    {
        try
        {
            using var parsed = JsonDocument.Parse(document);
            var root = parsed.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "issuer") != issuer)
            {
                return (null, "its discovery document is of another issuer");
            }

            if (Endpoint(root, "token_endpoint") is not { } token)
            {
                return (null, "its discovery document has no token_endpoint, or one that is not https");
            }

            var methods = root.TryGetProperty("token_endpoint_auth_methods_supported", out var offered)
                && offered.ValueKind == JsonValueKind.Array
                    ? offered.EnumerateArray().Where(m => m.ValueKind == JsonValueKind.String).Select(m => m.GetString()).ToList()
                    : [];
            return (new ProviderEndpoints(
                token, Endpoint(root, "revocation_endpoint"),
                methods.Contains("client_secret_post") && !methods.Contains("client_secret_basic")), null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return (null, "its discovery document is not JSON");
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // Secrets go there: https, or this machine.
    private static Uri? Endpoint(JsonElement root, string name) =>
        Uri.TryCreate(Text(root, name), UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
            ? uri
            : null;
}
