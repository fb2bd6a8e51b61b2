namespace Berth.Accounts;

/// <summary>Makes a few words a person recognises out of a User-Agent header; nothing is decided by it.</summary>
public static class DeviceName
{
    // Order matters: Edge and Opera also say Chrome, and Chrome also says Safari.
    private static readonly (string Mark, string Name)[] Browsers =
    [
        ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chromium/", "Chromium"), ("HeadlessChrome/", "Chrome"),
            ("Chrome/", "Chrome"),
        ("Safari/", "Safari"), ("curl/", "curl"),
    ];

    private static readonly (string Mark, string Name)[] Systems =
    [
        ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"),
            ("Linux", "Linux"),
    ];

    /// <summary>
    /// The short form, at most 64 characters of printable ASCII; <c>Unknown device</c> when the header says nothing usable.
    /// </summary>
    public static string FromUserAgent(string? userAgent)
    {
        if (string.IsNullOrWhiteSpace(userAgent))
        {
            return "Unknown device";
        }

        var browser = Find(Browsers, userAgent);
        var system = Find(Systems, userAgent);
        return (browser, system) switch
        {
            (not null, not null) => $"{browser} on {system}",
            (not null, null) => browser,
            (null, not null) => $"A program on {system}",
            _ => FirstWord(userAgent),
        };
    }

    private static string? Find((string Mark, string Name)[] table, string userAgent)
    {
        foreach (var (mark, name) in table)
        {
            if (userAgent.Contains(mark, StringComparison.Ordinal))
            {
                return name;
            }
        }

        return null;
    }

    private static string FirstWord(string userAgent)
    {
        var word = new string([.. userAgent.Trim().TakeWhile(c => c is > ' ' and < (char)0x7f).Take(64)]);
        return word.Length == 0 ? "Unknown device" : word;
    }
}
