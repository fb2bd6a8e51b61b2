using System.Globalization;
using System.Text;

namespace Berth.Edge;

/// <summary>One HTTP/1.1 answer as it came.</summary>
/// <param name="Status">Status.</param>
/// <param name="Headers">Headers in their order.</param>
/// <param name="Body">Body, Latin-1; cut at what is read.</param>
internal sealed record RawAnswer(int Status, IReadOnlyList<(string Name, string Value)> Headers, string Body)
{
    /// <summary>All values of a header.</summary>
    public IEnumerable<string> All(string name) =>
        Headers.Where(h => h.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value);

    /// <summary>The values of a header joined; empty when absent.</summary>
    public string this[string name] => string.Join(", ", All(name));

    /// <summary>Whether a text stands anywhere in it.</summary>
    public bool Mentions(string text) => Body.Contains(text, StringComparison.OrdinalIgnoreCase)
        || Headers.Any(h => h.Value.Contains(text, StringComparison.OrdinalIgnoreCase));
}

/// <summary>What came back on a connection.</summary>
/// <param name="Answers">Answers, in order.</param>
/// <param name="IsClosed">Whether the other side closed it; false when nothing came for too long.</param>
internal sealed record RawExchange(IReadOnlyList<RawAnswer> Answers, bool IsClosed)
{
    /// <summary>
    /// Whether the first request was refused, by whomever: closed without an answer, or a status that says so. 500 is a defect, no refusal.
    /// </summary>
    public bool IsRefused => Answers.Count == 0 ? IsClosed : Answers[0].Status is (>= 400 and < 500) or (> 500 and < 600);

    /// <summary>In words.</summary>
    public string Came => Answers.Count > 0 ? string.Join(" then ", Answers.Select(a => a.Status.ToString(CultureInfo.InvariantCulture)))
        : IsClosed ? "connection closed" : "no answer";

    /// <summary>Takes answers apart; what is incomplete at the end counts with what there is of it.</summary>
    public static RawExchange Parse(byte[] bytes, bool isClosed)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var answers = new List<RawAnswer>();
        var at = 0;
        while (at < text.Length && ParseOne(text, ref at) is { } answer)
        {
            if (answer.Status is < 100 or >= 200 || answer.Status == 101)
            {
                answers.Add(answer);
            }
        }

        return new RawExchange(answers, isClosed);
    }

    /// <summary>Whether so many answers are there whole, so that nothing more needs to be waited for.</summary>
    public static bool HasWhole(byte[] bytes, int answers)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var at = 0;
        for (var i = 0; i < answers; i++)
        {
            if (ParseOne(text, ref at) is null || at > text.Length || at < 0)
            {
                return false;
            }
        }

        return true;
    }

    // Moves behind the answer, or beyond the end where it is not whole.
    private static RawAnswer? ParseOne(string text, ref int at)
    {
        var end = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
        if (end < 0)
        {
            at = text.Length + 1;
            return null;
        }

        var lines = text[at..end].Split("\r\n");
        var parts = lines[0].Split(' ');
        if (parts.Length < 2 || !parts[0].StartsWith("HTTP/", StringComparison.Ordinal)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
        {
            at = text.Length + 1;
            return null;
        }

        (string Name, string Value)[] headers = [.. lines.Skip(1).Select(l => l.Split(':', 2)).Where(p => p.Length == 2)
            .Select(p => (p[0].Trim(), p[1].Trim()))];
        var empty = new RawAnswer(status, headers, "");
        at = end + 4;
        if (status is < 200 or 204 or 304)
        {
            return empty;
        }

        return empty with { Body = Body(text, ref at, empty) };
    }

    private static string Body(string text, ref int at, RawAnswer answer)
    {
        var start = at;
        if (answer["Transfer-Encoding"].EndsWith("chunked", StringComparison.OrdinalIgnoreCase))
        {
            return Chunks(text, ref at);
        }

        var length = int.TryParse(answer["Content-Length"], NumberStyles.None, CultureInfo.InvariantCulture, out var stated)
            ? Math.Min(stated, text.Length - start + 1) : text.Length - start;
        at = start + length;
        return text[start..Math.Min(at, text.Length)];
    }

    private static string Chunks(string text, ref int at)
    {
        var body = new StringBuilder();
        while (true)
        {
            var line = at <= text.Length ? text.IndexOf("\r\n", at, StringComparison.Ordinal) : -1;
            if (line < 0 || !int.TryParse(text.AsSpan(at, line - at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var size))
            {
                at = text.Length + 1;
                return body.ToString();
            }

            // No more than there is: what it says of its size is anybody's.
            var start = line + 2;
            size = Math.Min(size, text.Length - start + 1);
            at = start + size + 2;
            if (size == 0)
            {
                return body.ToString();
            }

            body.Append(text, start, Math.Min(size, text.Length - start));
        }
    }
}
