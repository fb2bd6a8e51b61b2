using System.Text.Json;

namespace Berth.Edge;

/// <summary>JSON from outside: UTF-8, no duplicate members, no comments, not deep.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Parses an object, or null when the text is anything else. The element does not need disposing.</summary>
    public static JsonElement? ParseObject(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A member that is a string of at most the given length, or null.</summary>
    public static string? Text(this JsonElement element, string name, int maximum = 2048)
    {
        if (!element.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        try
        {
            var text = value.GetString();
            return text is { Length: > 0 } && text.Length <= maximum ? text : null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate escape is JSON, but not text.
            return null;
        }
    }

    /// <summary>The strings of a member that is a string or a list of strings; empty for anything else.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return element.Text(name) is { } one ? [one] : [];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > 1000)
        {
            return [];
        }

        var result = new List<string>();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                return [];
            }

            try
            {
                result.Add(item.GetString()!);
            }
            catch (InvalidOperationException)
            {
                return [];
            }
        }

        return result;
    }
}
