using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Berth.Edge;

/// <summary>How the edge proves to a provider that it is its client (RFC 6749, 2.3.1).</summary>
internal static class ClientCredentials
{
    /// <summary>Adds them to a form, or gives the header that carries them.</summary>
    public static AuthenticationHeaderValue? Apply(
        ICollection<KeyValuePair<string, string>> form, IssuerSettings issuer, ClientAuthentication authentication)
    {
        if (authentication == ClientAuthentication.Basic)
        {
            // Both halves are form-encoded before they are joined.
            var pair = $"{WebUtility.UrlEncode(issuer.ClientId)}:{WebUtility.UrlEncode(issuer.ClientSecret)}";
            return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }

        form.Add(new("client_id", issuer.ClientId));
        if (authentication == ClientAuthentication.Post)
        {
            form.Add(new("client_secret", issuer.ClientSecret!));
        }

        return null;
    }
}
