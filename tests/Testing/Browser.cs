using System.Net;
using System.Net.WebSockets;

namespace Testing;

/// <summary>A browser as far as cookies and navigations go; redirects are followed only when asked for.</summary>
public sealed class Browser(HttpMessageHandler handler)
{
    private readonly HttpMessageInvoker _http = new(handler);

    /// <summary>Cookies by host and name; where a cookie's path is a folder, the folder stands behind the host.</summary>
    public Dictionary<(string Host, string Name), string> Cookies { get; } = [];

    /// <summary>Takes another browser's cookies too: the same person on another way to the edge.</summary>
    public Browser With(Browser other)
    {
        foreach (var (key, value) in other.Cookies)
        {
            Cookies[key] = value;
        }

        return this;
    }

    public string CookieHeader(string host) =>
        string.Join("; ", Cookies.Where(c => c.Key.Host == host).Select(c => $"{c.Key.Name}={c.Value}"));

    /// <summary>The cookies for an address: those of its host, and of the folders that it is in (RFC 6265, 5.1.4).</summary>
    public string CookieHeader(Uri url) => string.Join("; ", Cookies
        .Where(c => c.Key.Host == url.Host
            || (c.Key.Host.Contains('/', StringComparison.Ordinal) && IsWithin(url.Host + url.AbsolutePath, c.Key.Host)))
        .Select(c => $"{c.Key.Name}={c.Value}"));

    /// <summary>A navigation, unless headers say otherwise. A header "-Name" removes a default.</summary>
    public async Task<HttpResponseMessage> SendAsync(string url, HttpMethod? method = null, HttpContent? content = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, url) { Content = content };
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var cookies = CookieHeader(request.RequestUri!);
        if (cookies.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Cookie", cookies);
        }

        var response = await _http.SendAsync(request, CancellationToken.None);
        Store(request.RequestUri!.Host, response);
        return response;
    }

    public Task<HttpResponseMessage> GetAsync(string url, params (string Name, string Value)[] headers) => SendAsync(url, headers: headers);

    /// <summary>Follows redirects to the end.</summary>
    public async Task<HttpResponseMessage> FollowAsync(string url, int most = 15)
    {
        var response = await GetAsync(url);
        while (response.Headers.Location is { } location && most-- > 0)
        {
            url = new Uri(new Uri(url), location).AbsoluteUri;
            response.Dispose();
            response = await GetAsync(url);
        }

        return response;
    }

    /// <param name="url">Where to.</param>
    /// <param name="origin">The page's.</param>
    /// <param name="pingEvery">Sends a ping so often, and nothing by itself when absent.</param>
    public async Task<ClientWebSocket> ConnectAsync(string url, string? origin, TimeSpan? pingEvery = null)
    {
        var socket = new ClientWebSocket();
        if (pingEvery is { } interval)
        {
            socket.Options.KeepAliveInterval = interval;
            socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(20);
        }

        var uri = new Uri(url);
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        var cookies = CookieHeader(uri);
        if (cookies.Length > 0)
        {
            socket.Options.SetRequestHeader("Cookie", cookies);
        }

        socket.Options.CollectHttpResponseDetails = true;
        try
        {
            await socket.ConnectAsync(uri, _http, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The caller looks at HttpStatusCode.
        }

        return socket;
    }

    private static bool IsWithin(string place, string folder) => place.StartsWith(folder, StringComparison.Ordinal)
        && (place.Length == folder.Length || folder.EndsWith('/') || place[folder.Length] == '/');

    private void Store(string host, HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Set-Cookie", out var values))
        {
            return;
        }

        foreach (var value in values)
        {
            var pair = value.Split(';')[0].Split('=', 2);
            var path = value.Split(';').Select(p => p.Trim())
                .LastOrDefault(p => p.StartsWith("path=/", StringComparison.OrdinalIgnoreCase))?[5..];
            var place = path is null or "/" ? host : host + path;
            if (value.Contains("max-age=0", StringComparison.OrdinalIgnoreCase))
            {
                Cookies.Remove((place, pair[0]));
            }
            else
            {
                Cookies[(place, pair[0])] = pair[1];
            }
        }
    }
}
