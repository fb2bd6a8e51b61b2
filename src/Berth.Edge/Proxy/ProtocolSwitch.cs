using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>
/// Whether an answer of a workspace may switch the protocol. Only 101 to a WebSocket handshake does; whatever else looks like it stays HTTP
/// (CVE-2024-23326), or is refused where the client would take it for a switch.
/// </summary>
internal static class ProtocolSwitch
{
    /// <summary>Looks at the head of an answer.</summary>
    /// <exception cref="HttpRequestException">The client would take it for a switch that it is not, or nobody asked for it.</exception>
    public static void Check(HttpContext context, HttpResponseMessage answer)
    {
        var asksFor = RequestKinds.IsUpgrade(context);
        if (answer.StatusCode == HttpStatusCode.SwitchingProtocols)
        {
            if (!asksFor || !IsWebSocket(answer))
            {
                throw new HttpRequestException("The workspace switched to a protocol that was not asked for.");
            }
        }
        else if (answer.IsSuccessStatusCode && context.Features.Get<IHttpExtendedConnectFeature>()?.IsExtendedConnect == true)
        {
            // To an extended CONNECT, any 2xx means that the WebSocket is open (RFC 8441, 5).
            throw new HttpRequestException("The workspace answered a WebSocket handshake with a page.");
        }
    }

    private static bool IsWebSocket(HttpResponseMessage answer) => answer.Headers.NonValidated.TryGetValues("Upgrade", out var values)
        && values.Count == 1 && values.ToString().Trim().Equals("websocket", StringComparison.OrdinalIgnoreCase);
}
