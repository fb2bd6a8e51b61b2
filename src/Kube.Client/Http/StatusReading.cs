using System.Net;
using System.Text;
using System.Text.Json;
using Kube.Client.Json;
using Kube.Client.Models;

namespace Kube.Client.Http;

/// <summary>Turns answers other than 2xx into exceptions.</summary>
internal static class StatusReading
{
    // A Status with thousands of causes stays below this; what is larger is some proxy's page.
    private const int MaxBody = 1 << 20;
    private const int MaxQuote = 300;

    /// <summary>Reads the body and makes the exception.</summary>
    public static async Task<KubeException> ReadAsync(HttpResponseMessage response, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var body = await BodyReading.ReadUpToAsync(response, MaxBody, cancellationToken);
        var status = Parse(body) is { } parsed
            ? parsed with
            {
                Code = parsed.Code ?? (int)response.StatusCode,
            }
            : Generic(response.StatusCode, body);
        return new KubeException(status) { RetryAfter = RetryAfter(response, now) ?? Seconds(status.Details?.RetryAfterSeconds) };
    }

    /// <summary>The Retry-After header as a duration.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, DateTimeOffset now)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date is { } date ? date - now : null);
        return wait is { } value && value < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    /// <summary>A Status object, or null when the bytes are none.</summary>
    public static Status? Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            var status = JsonSerializer.Deserialize(body, KubeJson.Default.Status);
            return status?.Kind == "Status" ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static TimeSpan? Seconds(int? seconds) => seconds is > 0 ? TimeSpan.FromSeconds(seconds.Value) : null;

    private static Status Generic(HttpStatusCode code, byte[] body)
    {
        var text = Encoding.UTF8.GetString(body).Trim();
        text = new string([.. text.Take(MaxQuote).Select(c => char.IsControl(c) ? ' ' : c)]);
        return new Status
        {
            Result = "Failure",
            Code = (int)code,
            Reason = Reason(code),
            Message = $"The server answered {(int)code} {code} without a Status object{(text.Length == 0 ? "." : $": {text}")}",
        };
    }

    private static string Reason(HttpStatusCode code) =>
        code switch
        {
            HttpStatusCode.BadRequest => "BadRequest",
            HttpStatusCode.Unauthorized => "Unauthorized",
            HttpStatusCode.Forbidden => "Forbidden",
            HttpStatusCode.NotFound => "NotFound",
            HttpStatusCode.MethodNotAllowed => "MethodNotAllowed",
            HttpStatusCode.NotAcceptable => "NotAcceptable",
            HttpStatusCode.Conflict => "Conflict",
            HttpStatusCode.Gone => "Expired",
            HttpStatusCode.RequestEntityTooLarge => "RequestEntityTooLarge",
            HttpStatusCode.UnsupportedMediaType => "UnsupportedMediaType",
            HttpStatusCode.UnprocessableEntity => "Invalid",
            HttpStatusCode.TooManyRequests => "TooManyRequests",
            HttpStatusCode.InternalServerError => "InternalError",
            HttpStatusCode.ServiceUnavailable => "ServiceUnavailable",
            HttpStatusCode.GatewayTimeout => "Timeout",
            _ => "Unknown",
        };
}
