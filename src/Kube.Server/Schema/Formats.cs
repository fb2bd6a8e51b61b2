using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Kube.Server.Schema;

/// <summary>The string formats Kubernetes checks; unknown ones pass, as they do there.</summary>
internal static partial class Formats
{
    public static bool Matches(string format, string text) => format switch
    {
        "date-time" or "datetime" => DateTime(text),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "byte" => text.Length == 0 || Base64(text),
        "ipv4" => IPAddress.TryParse(text, out var a) && a.AddressFamily == AddressFamily.InterNetwork && text.Count(c => c == '.') == 3,
        "ipv6" => IPAddress.TryParse(text, out var b) && b.AddressFamily == AddressFamily.InterNetworkV6,
        "cidr" => IPNetwork.TryParse(text, out _),
        "uri" => text.Length > 0 && Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out var u) && (u.IsAbsoluteUri || text[0] == '/'),
        "email" => Email().IsMatch(text),
        "hostname" => Hostname().IsMatch(text) && text.Length <= 255,
        "uuid" or "uuid3" or "uuid4" or "uuid5" => Guid.TryParseExact(text, "D", out _) || Guid.TryParseExact(text, "N", out _),
        "duration" => Cel.CelTime.TryDuration(text, out _) || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        "mac" => Mac().IsMatch(text),
        _ => true,
    };

    private static bool DateTime(string text) =>
        Timestamp().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);

    private static bool Base64(string text) => Convert.TryFromBase64String(text, new byte[text.Length], out _);

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}[tT ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Timestamp();

    [GeneratedRegex(@"^[^@\s]+@[^@\s]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Email();

    [GeneratedRegex(@"^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Hostname();

    [GeneratedRegex(@"^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Mac();
}
