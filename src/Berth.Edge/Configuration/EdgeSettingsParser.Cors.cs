namespace Berth.Edge;

/// <summary>Cross-origin calls of the API.</summary>
internal sealed partial class EdgeSettingsParser
{
    private CorsPolicy Cors(CorsOptions options)
    {
        for (var i = 0; i < options.Origins.Count; i++)
        {
            if (CorsPolicy.Flaw(options.Origins[i]) is { } flaw)
            {
                Problem($"Cors:Origins:{i}", $"is '{options.Origins[i]}', which {flaw}");
            }
        }

        if (options.MaximumAge < TimeSpan.FromSeconds(1) || options.MaximumAge > TimeSpan.FromHours(24))
        {
            Problem("Cors:MaximumAge", $"is {options.MaximumAge}; give a time from 00:00:01 to 1.00:00:00");
        }

        return new CorsPolicy
        {
            Origins = [.. options.Origins],
            Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            Headers = ["accept", "authorization", "content-type", "if-match", "if-none-match"],
            Exposed = "content-disposition, etag, link, location, retry-after, www-authenticate, x-request-id",
            MaximumAge = options.MaximumAge,
        };
    }
}
