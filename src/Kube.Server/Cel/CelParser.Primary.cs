using System.Globalization;
using System.Text;

namespace Kube.Server.Cel;

/// <summary>Literals, names and parentheses.</summary>
internal sealed partial class CelParser
{
    private Expr Primary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.String:
                _at++;
                return new Literal(token.Text);
            case TokenKind.Bytes:
                _at++;
                return new Literal(Encoding.UTF8.GetBytes(token.Text));
            case TokenKind.Int:
                _at++;
                return new Literal(token.Text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
                    ? long.TryParse(token.Text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)
                        ? hex
                        : throw new CelException("invalid int literal")
                    : long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                        ? number
                        : throw new CelException("invalid int literal"));
            case TokenKind.UInt:
                _at++;
                return new Literal(
                    ulong.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var unsigned)
                    ? unsigned
                    : throw new CelException("invalid uint literal"));
            case TokenKind.Double:
                _at++;
                return new Literal(
                    double.TryParse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
                    ? real
                    : throw new CelException("invalid double literal"));
            case TokenKind.Ident:
                return Identifier();
        }
        if (Take("("))
        {
            var inner = Ternary();
            Expect(")");
            return inner;
        }
        if (Take("["))
        {
            return new ListLiteral(Arguments("]"));
        }
        if (Take("{"))
        {
            var entries = new List<(Expr, Expr)>();
            while (!Take("}"))
            {
                var key = Ternary();
                Expect(":");
                entries.Add((key, Ternary()));
                if (!Take(","))
                {
                    Expect("}");
                    break;
                }
            }
            return new MapLiteral(entries);
        }
        if (Take("."))
        {
            return Primary();
        }
        throw Unexpected();
    }

    private Expr Identifier()
    {
        var name = _tokens[_at++].Text;
        switch (name)
        {
            case "true":
                return new Literal(true);
            case "false":
                return new Literal(false);
            case "null":
                return new Literal(null);
            case "in":
                _at--;
                throw Unexpected();
        }
        if (!Take("("))
        {
            return new Ident(name);
        }
        var args = Arguments(")");
        if (name != "has")
        {
            return new Call(null, name, args);
        }
        return args is [Select select] ? select with { Test = true } : throw new CelException("invalid argument to has() macro");
    }
}
