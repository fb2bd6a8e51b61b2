using System.Globalization;
using System.Text;

namespace Kube.Server.Cel;

internal enum TokenKind
{
    Ident,
    Int,
    UInt,
    Double,
    String,
    Bytes,
    Op,
    End,
}

internal readonly record struct Token(TokenKind Kind, string Text, int At);

/// <summary>
/// A rule that does not compile. <see cref="Field"/> is the part of the validation that is wrong: rule, messageExpression, ...
/// </summary>
internal sealed class CelException(string message, string field = "rule") : Exception(message)
{
    public string Field { get; } = field;
}

/// <summary>Splits CEL source into tokens (cel-spec, "Syntax").</summary>
internal static class CelLexer
{
    private static readonly string[] Operators =
        ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")", "[", "]", "{", "}", ".", ","];

    public static List<Token> Split(string source)
    {
        var tokens = new List<Token>();
        var at = 0;
        while (at < source.Length)
        {
            var c = source[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c == '/' && at + 1 < source.Length && source[at + 1] == '/')
            {
                while (at < source.Length && source[at] != '\n')
                {
                    at++;
                }
            }
            else if (StringStart(source, at) is { } prefix)
            {
                tokens.Add(ReadString(source, ref at, prefix));
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                var start = at;
                while (at < source.Length && (char.IsAsciiLetterOrDigit(source[at]) || source[at] == '_'))
                {
                    at++;
                }
                tokens.Add(new Token(TokenKind.Ident, source[start..at], start));
            }
            else if (char.IsAsciiDigit(c) || (c == '.' && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1])))
            {
                tokens.Add(ReadNumber(source, ref at));
            }
            else
            {
                var op = Array.Find(Operators, o => string.CompareOrdinal(source, at, o, 0, o.Length) == 0)
                    ?? throw new CelException($"Syntax error: token recognition error at: '{c}'");
                tokens.Add(new Token(TokenKind.Op, op, at));
                at += op.Length;
            }
        }
        tokens.Add(new Token(TokenKind.End, "<EOF>", at));
        return tokens;
    }

    private static string? StringStart(string source, int at)
    {
        var i = at;
        while (i < source.Length && i - at < 2 && source[i] is 'r' or 'R' or 'b' or 'B')
        {
            i++;
        }
        return i < source.Length && source[i] is '"' or '\'' ? source[at..i].ToLowerInvariant() : null;
    }

    private static Token ReadString(string source, ref int at, string prefix)
    {
        var start = at;
        at += prefix.Length;
        var quote = source[at];
        var triple = string.CompareOrdinal(source, at, new string(quote, 3), 0, 3) == 0;
        at += triple ? 3 : 1;
        var raw = prefix.Contains('r', StringComparison.Ordinal);
        var text = new StringBuilder();
        while (true)
        {
            if (at >= source.Length || (!triple && source[at] == '\n'))
            {
                throw new CelException("Syntax error: unterminated string literal");
            }
            if (source[at] == quote && (!triple || string.CompareOrdinal(source, at, new string(quote, 3), 0, 3) == 0))
            {
                at += triple ? 3 : 1;
                break;
            }
            if (source[at] == '\\' && !raw)
            {
                at++;
                ReadEscape(source, ref at, text);
            }
            else
            {
                text.Append(source[at++]);
            }
        }
        return new Token(prefix.Contains('b', StringComparison.Ordinal) ? TokenKind.Bytes : TokenKind.String, text.ToString(), start);
    }

    private static void ReadEscape(string source, ref int at, StringBuilder text)
    {
        if (at >= source.Length)
        {
            throw new CelException("Syntax error: unterminated string literal");
        }
        var c = source[at++];
        switch (c)
        {
            case 'n': text.Append('\n'); break;
            case 't': text.Append('\t'); break;
            case 'r': text.Append('\r'); break;
            case 'a': text.Append('\a'); break;
            case 'b': text.Append('\b'); break;
            case 'f': text.Append('\f'); break;
            case 'v': text.Append('\v'); break;
            case '\\' or '\'' or '"' or '`' or '?': text.Append(c); break;
            case 'x' or 'X': Code(source, ref at, text, 2); break;
            case 'u': Code(source, ref at, text, 4); break;
            case 'U': Code(source, ref at, text, 8); break;
            default: throw new CelException($"Syntax error: token recognition error at: '\\{c}'");
        }
    }

    private static void Code(string source, ref int at, StringBuilder text, int digits)
    {
        if (at + digits > source.Length
            || !int.TryParse(source.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || !Rune.IsValid(code))
        {
            throw new CelException("Syntax error: invalid escape sequence");
        }
        at += digits;
        text.Append(new Rune(code).ToString());
    }

    private static Token ReadNumber(string source, ref int at)
    {
        var start = at;
        if (source[at] == '0' && at + 1 < source.Length && source[at + 1] is 'x' or 'X')
        {
            at += 2;
            while (at < source.Length && char.IsAsciiHexDigit(source[at]))
            {
                at++;
            }
        }
        else
        {
            while (at < source.Length
                && (char.IsAsciiDigit(source[at]) || source[at] == '.' || source[at] is 'e' or 'E'
                || (source[at] is '+' or '-' && source[at - 1] is 'e' or 'E')))
            {
                if (source[at] == '.' && (at + 1 >= source.Length || !char.IsAsciiDigit(source[at + 1])))
                {
                    break;
                }
                at++;
            }
        }
        var text = source[start..at];
        if (at < source.Length && source[at] is 'u' or 'U')
        {
            at++;
            return new Token(TokenKind.UInt, text, start);
        }
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return new Token(!isHex && text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0 ? TokenKind.Double : TokenKind.Int, text, start);
    }
}
