using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Edge;

/// <summary>Reads requests of the API strictly: what is not understood is refused by name, never guessed.</summary>
internal static class ApiRequest
{
    /// <summary>Largest body: a request with 64 parameters of 256 characters is a quarter of it.</summary>
    public const int MaximumBody = 64 * 1024;

    /// <summary>Reads a JSON body; an empty one is <paramref name="empty"/>.</summary>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<T> empty, params string[] mediaTypes)
        where T : class
    {
        var bytes = await ReadBytesAsync(context).ConfigureAwait(false);
        if (bytes.Length == 0)
        {
            return empty();
        }

        CheckMediaType(context, mediaTypes);
        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("The body is null; send a JSON object.");
        }
        catch (JsonException error)
        {
            throw Unreadable(error);
        }
        catch (InvalidOperationException error)
        {
            throw NotUnicode(error);
        }
    }

    /// <summary>Reads any JSON, up to <paramref name="depth"/> levels deep.</summary>
    public static async Task<JsonElement> ReadElementAsync(HttpContext context, int depth)
    {
        var bytes = await ReadBytesAsync(context).ConfigureAwait(false);
        CheckMediaType(context, []);
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = depth, AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (JsonException error)
        {
            throw Unreadable(error);
        }
        catch (InvalidOperationException error)
        {
            throw NotUnicode(error);
        }
    }

    private static void CheckMediaType(HttpContext context, string[] mediaTypes)
    {
        var media = context.Request.ContentType?.Split(';', 2)[0].Trim();
        if (media is null || (!media.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && !mediaTypes.Contains(media, StringComparer.OrdinalIgnoreCase)))
        {
            throw new ProblemException(415, "media-type", "The body has the wrong type", "Send the body as application/json.");
        }
    }

    // What System.Text.Json says of lone surrogates in names.
    private static ProblemException NotUnicode(InvalidOperationException error) => new(400, "bad-json", "The body cannot be read",
        "The body has a text that is not valid Unicode.", cause: error);

    private static ProblemException Unreadable(JsonException error)
    {
        var path = error.Path is { Length: > 2 } p && p.StartsWith("$.", StringComparison.Ordinal) ? $"at '{p[2..]}', " : "";
        return new ProblemException(400, "bad-json", "The body cannot be read",
            $"The body is not the JSON that is expected here: {path}line {(error.LineNumber ?? 0) + 1}, byte "
                + $"{(error.BytePositionInLine ?? 0) + 1}. {Reason(error)}",
            cause: error);
    }

    /// <summary>Reads a JSON object as it is.</summary>
    public static async Task<JsonObject> ReadObjectAsync(HttpContext context, params string[] mediaTypes)
    {
        try
        {
            var read = await ReadAsync(context, EdgeJson.Default.JsonObject, static () => [], mediaTypes).ConfigureAwait(false);
            ReadWhole(read);
            return read;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            throw new ProblemException(400, "bad-json", "The body cannot be read",
                "The body has a field twice in one object, or a name that is not valid Unicode.", cause: error);
        }
    }

    /// <summary>A query parameter that is <c>true</c> or <c>false</c>; absent is false, given without a value is true.</summary>
    public static bool Flag(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        return (values.Count, values.ToString()) switch
        {
            (0, _) => false,
            (1, "" or "true") => true,
            (1, "false") => false,
            _ => throw new ProblemException(400, "bad-query", "The query cannot be read", $"Give '{name}' once, as true or false."),
        };
    }

    /// <summary>A query parameter that is a number in a range; null when absent.</summary>
    public static int? Number(HttpContext context, string name, int minimum, int maximum)
    {
        var values = context.Request.Query[name];
        if (values.Count == 0)
        {
            return null;
        }

        return values.Count == 1 && int.TryParse(values.ToString(), System.Globalization.NumberStyles.None, null, out var number)
            && number >= minimum && number <= maximum
            ? number
            : throw new ProblemException(400, "bad-query", "The query cannot be read",
                $"Give '{name}' once, as a number from {minimum} to {maximum}.");
    }

    /// <summary>A query parameter that is a text; null when absent.</summary>
    public static string? Text(HttpContext context, string name, int longest)
    {
        var values = context.Request.Query[name];
        return values.Count == 0 ? null
            : values.Count == 1 && values.ToString() is { Length: > 0 } text && text.Length <= longest && !text.Any(char.IsControl) ? text
            : throw new ProblemException(400, "bad-query", "The query cannot be read",
                $"Give '{name}' once, as a text of 1 to {longest} characters.");
    }

    /// <summary>A query parameter that is a time (RFC 3339); null when absent.</summary>
    public static DateTimeOffset? Time(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        if (values.Count == 0)
        {
            return null;
        }

        // A plus in a query is a blank unless it was encoded; people forget that.
        var text = values.ToString().Replace(' ', '+');
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];
        return values.Count == 1 && (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > 10)
            && DateTimeOffset.TryParseExact(text, forms, System.Globalization.CultureInfo.InvariantCulture,
                System.Globalization.DateTimeStyles.None, out var time)
            ? time
            : throw new ProblemException(400, "bad-query", "The query cannot be read",
                $"Give '{name}' once, as a time with its zone such as 2030-01-31T12:00:00Z.");
    }

    /// <summary>A query parameter that is a day; null when absent.</summary>
    public static DateOnly? Day(HttpContext context, string name)
    {
        var values = context.Request.Query[name];
        if (values.Count == 0)
        {
            return null;
        }

        return values.Count == 1
            && DateOnly.TryParseExact(values.ToString(), "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture,
            System.Globalization.DateTimeStyles.None, out var day)
            ? day
            : throw new ProblemException(400, "bad-query", "The query cannot be read", $"Give '{name}' once, as a day such as 2030-01-31.");
    }

    /// <summary>
    /// The version that is expected: a number from If-Match, 0 from <c>If-None-Match: *</c> ("there is none yet"), null when neither is
    /// there. An If-Match that is no number of ours fits nothing.
    /// </summary>
    public static long? ExpectedVersion(HttpContext context)
    {
        if (context.Request.Headers.IfNoneMatch == "*")
        {
            return 0;
        }

        return IfMatch(context) is not { } tag ? null
            : long.TryParse(tag, System.Globalization.NumberStyles.None, null, out var version) ? version : long.MaxValue;
    }

    /// <summary>The version in If-Match; null when absent or <c>*</c>.</summary>
    public static string? IfMatch(HttpContext context)
    {
        var header = context.Request.Headers.IfMatch;
        if (header.Count == 0 || header == "*")
        {
            return null;
        }

        var text = header.ToString();
        return header.Count == 1 && text.Length is > 2 and < 66 && text[0] == '"' && text[^1] == '"' && text[1..^1]
            .All(char.IsAsciiLetterOrDigit)
            ? text[1..^1]
            : throw new ProblemException(400, "bad-if-match", "If-Match cannot be read",
                "Send one strong ETag as it came with the answer, or *.");
    }

    // Objects are taken apart when they are first looked into, and complain of doubled names only then.
    private static void ReadWhole(JsonNode? node)
    {
        foreach (var child in node switch
        {
            JsonObject fields => fields.Select(f => f.Value),
            JsonArray items => items,
            _ => [],
        })
        {
            ReadWhole(child);
        }
    }

    private static string Reason(JsonException error)
    {
        var text = error.InnerException?.Message ?? error.Message;
        var end = text.IndexOf(" Path:", StringComparison.Ordinal);

        // The serialiser speaks of our types; people need to know about their field.
        return text.Contains("could not be mapped", StringComparison.Ordinal) ? "There is no such field."
            : text.Contains("could not be converted", StringComparison.Ordinal) ? "The value has the wrong type."
            : text.Contains("uplicate", StringComparison.Ordinal) ? "A field is given twice."
            : end > 0 ? text[..end] : text;
    }

    private static async Task<byte[]> ReadBytesAsync(HttpContext context)
    {
        if (context.Request.ContentLength > MaximumBody)
        {
            throw TooLarge();
        }

        using var buffer = new MemoryStream();
        var chunk = new byte[8192];
        int read;
        while ((read = await context.Request.Body.ReadAsync(chunk, context.RequestAborted).ConfigureAwait(false)) > 0)
        {
            if (buffer.Length + read > MaximumBody)
            {
                throw TooLarge();
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private static ProblemException TooLarge() =>
        new(413, "body-too-large", "The body is too large", $"A request of the API has at most {MaximumBody / 1024} KiB.");
}
