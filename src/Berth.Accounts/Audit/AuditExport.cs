using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Berth.Accounts;

/// <summary>Writes the audit log for other programs, event by event: nothing is gathered in memory.</summary>
public static class AuditExport
{
    private const string Header = "sequence,id,at,issuer,subject,action,object,outcome,request_id,previous,hash\r\n";

    // Spreadsheets take a cell that begins so for a formula, also in their full-width forms.
    private static readonly SearchValues<char> FormulaStarts = SearchValues.Create("=+-@\t\r\n＝＋－＠");

    /// <summary>
    /// CSV (RFC 4180): a header line, CRLF, UTF-8 without a mark. A text that a spreadsheet would take for a formula gets an apostrophe in
    /// front (so a program that needs the exact text reads the JSON form).
    /// </summary>
    public static Task WriteCsvAsync(IAsyncEnumerable<AuditEntry> entries, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(entries, output, Header, Line, cancellationToken);

    /// <summary>JSON Lines: one object a line, UTF-8, LF.</summary>
    public static Task WriteJsonLinesAsync(IAsyncEnumerable<AuditEntry> entries, Stream output, CancellationToken cancellationToken) =>
        WriteAsync(entries, output, "", JsonLine, cancellationToken);

    private static async Task WriteAsync(IAsyncEnumerable<AuditEntry> entries, Stream output, string header,
        Func<AuditEntry, string> line, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(output);
        var text = new StringBuilder(header);
        await foreach (var entry in entries.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            text.Append(line(entry));
            if (text.Length > 32 * 1024)
            {
                await FlushAsync(text, output, cancellationToken).ConfigureAwait(false);
            }
        }

        await FlushAsync(text, output, cancellationToken).ConfigureAwait(false);
    }

    private static async Task FlushAsync(StringBuilder text, Stream output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        text.Clear();
    }

    private static string Line(AuditEntry entry)
    {
        var e = entry.Event;
        string[] fields =
        [
            entry.Sequence.ToString(CultureInfo.InvariantCulture), e.Id.ToString(), Time(e.At), Cell(e.Actor?.Issuer),
            Cell(e.Actor?.Subject), Cell(e.Action), Cell(e.Target), Cell(e.Outcome), Cell(e.RequestId), Hex(entry.Previous),
            Hex(entry.Hash),
        ];
        return string.Join(',', fields) + "\r\n";
    }

    private static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var safe = FormulaStarts.Contains(text[0]) ? "'" + text : text;
        return safe.AsSpan().IndexOfAny(",\"\r\n") >= 0 || safe[0] == ' ' || safe[^1] == ' '
            ? "\"" + safe.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"" : safe;
    }

    private static string JsonLine(AuditEntry entry)
    {
        var e = entry.Event;
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("sequence", entry.Sequence);
            json.WriteString("id", e.Id);
            json.WriteString("at", Time(e.At));
            Write(json, "issuer", e.Actor?.Issuer);
            Write(json, "subject", e.Actor?.Subject);
            Write(json, "action", e.Action);
            Write(json, "object", e.Target);
            Write(json, "outcome", e.Outcome);
            Write(json, "requestId", e.RequestId);
            json.WriteString("previous", Hex(entry.Previous));
            json.WriteString("hash", Hex(entry.Hash));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Write(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static string Hex(ReadOnlyMemory<byte> hash) => Convert.ToHexStringLower(hash.Span);

    private static string Time(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
