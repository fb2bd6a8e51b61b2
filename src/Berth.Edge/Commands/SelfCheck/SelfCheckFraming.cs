namespace Berth.Edge;

/// <summary>Requests that two servers behind one another may cut apart in two ways (request smuggling).</summary>
internal static class SelfCheckFraming
{
    private const string Server = "put a server in front that keeps to RFC 9112, or update the one that is there";
    private const string Next = "GET /tos HTTP/1.1\r\n@Connection: close\r\n\r\n";

    public static IReadOnlyList<SelfCheck> All { get; } =
    [
        new("transfer-encoding-and-length", "refused, or the length ignored (RFC 9112, 6.3)", Server, async p =>
        {
            // Who goes by the length takes the request within for a body; who goes by the chunks answers it.
            const string Within = "0\r\n\r\nGET /selfcheck-within HTTP/1.1\r\n@\r\n";
            var length = Within.Replace("@", $"Host: {p.Host}\r\n{p.Marker}", StringComparison.Ordinal).Length;
            var came = await p.RawAsync($"GET /tos HTTP/1.1\r\n@Content-Length: {length}\r\nTransfer-Encoding: "
                + $"chunked\r\n\r\n{Within}{Next}", 3);
            return SelfCheckVerdict.Of(came.IsRefused || came.Answers.Count != 2, came.Came);
        }),
        new("transfer-encoding-unknown", "refused", Server, p => p.RefusedAsync(
            ("chunked, identity", Chunked("Transfer-Encoding: chunked, identity")),
            ("a made-up coding", Chunked("Transfer-Encoding: xchunked")),
            ("a space before the colon", Chunked("Transfer-Encoding : chunked")),
            ("a control character", Chunked("Transfer-Encoding: \u000bchunked")))),
        new("two-lengths", "refused", Server, p => p.RefusedAsync(
            ("two that differ", $"GET /tos HTTP/1.1\r\n@Content-Length: 0\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
            ("a list of two", $"GET /tos HTTP/1.1\r\n@Content-Length: 5, 0\r\nConnection: close\r\n\r\nhello"),
            ("one below zero", $"GET /tos HTTP/1.1\r\n@Content-Length: -5\r\nConnection: close\r\n\r\nhello"))),
        // CVE-2025-55315.
        new("bare-lf-in-chunk-extension", "refused, and nothing of what follows answered", Server, async p =>
        {
            var came = await p.RawAsync($"GET /tos HTTP/1.1\r\n@Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n{Next}", 2);
            return SelfCheckVerdict.Of(came.Answers.Count < 2 && (came.IsRefused || came.IsClosed), came.Came);
        }),
        // Read as the end of a line there are two hosts, which nobody may serve; read as a part of the value there is one here and may be
        // two behind.
        new("bare-lf-in-header", "refused", Server, p => p.RefusedAsync(
            ("a line feed before a second Host",
                $"GET /tos HTTP/1.1\r\n@X-A: 1\nHost: {SelfCheckProbe.Foreign}\r\nConnection: close\r\n\r\n"))),
        new("bare-cr-in-header", "refused", Server, p => p.RefusedAsync(
            ("a carriage return before a second Host",
                $"GET /tos HTTP/1.1\r\n@X-A: 1\rHost: {SelfCheckProbe.Foreign}\r\nConnection: close\r\n\r\n"))),
        new("nul-in-header", "refused", Server, p => p.RefusedAsync(
            ("a NUL in a value", "GET /tos HTTP/1.1\r\n@X-A: 1\u00002\r\nConnection: close\r\n\r\n"))),
    ];

    private static string Chunked(string header) => $"GET /tos HTTP/1.1\r\n@{header}\r\nConnection: close\r\n\r\n0\r\n\r\n";
}
