using System.Globalization;
using System.Text;

namespace Kube.Server.Cel;

/// <summary>Recursive descent over CEL's grammar; macros become <see cref="Comprehension"/> and tested selects.</summary>
internal sealed partial class CelParser
{
    private const int MaxDepth = 200;

    private static readonly HashSet<string> Macros = ["all", "exists", "exists_one", "existsOne", "filter", "map"];

    private readonly List<Token> _tokens;
    private int _at;
    private int _depth;

    private CelParser(string source) => _tokens = CelLexer.Split(source);

    private Token Current => _tokens[_at];

    public static Expr Parse(string source)
    {
        var parser = new CelParser(source);
        var expr = parser.Ternary();
        return parser.Current.Kind == TokenKind.End ? expr : throw parser.Unexpected();
    }

    private CelException Unexpected() => new($"Syntax error: mismatched input '{Current.Text}' at column {Current.At + 1}");

    private bool Take(string op)
    {
        if (Current.Kind == TokenKind.Op && Current.Text == op)
        {
            _at++;
            return true;
        }
        return false;
    }

    private void Expect(string op)
    {
        if (!Take(op))
        {
            throw Unexpected();
        }
    }

    private Expr Ternary()
    {
        if (++_depth > MaxDepth)
        {
            throw new CelException("expression is nested too deeply");
        }
        var condition = Or();
        if (Take("?"))
        {
            var then = Ternary();
            Expect(":");
            condition = new Call(null, "?:", [condition, then, Ternary()]);
        }
        _depth--;
        return condition;
    }

    private Expr Or()
    {
        var left = And();
        while (Take("||"))
        {
            left = new Call(null, "||", [left, And()]);
        }
        return left;
    }

    private Expr And()
    {
        var left = Relation();
        while (Take("&&"))
        {
            left = new Call(null, "&&", [left, Relation()]);
        }
        return left;
    }

    private Expr Relation()
    {
        var left = Additive();
        while (true)
        {
            if (Current is { Kind: TokenKind.Op, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" }
                || Current is { Kind: TokenKind.Ident, Text: "in" })
            {
                var op = _tokens[_at++].Text;
                left = new Call(null, op, [left, Additive()]);
            }
            else
            {
                return left;
            }
        }
    }

    private Expr Additive()
    {
        var left = Multiplicative();
        while (Current is { Kind: TokenKind.Op, Text: "+" or "-" })
        {
            var op = _tokens[_at++].Text;
            left = new Call(null, op, [left, Multiplicative()]);
        }
        return left;
    }

    private Expr Multiplicative()
    {
        var left = Unary();
        while (Current is { Kind: TokenKind.Op, Text: "*" or "/" or "%" })
        {
            var op = _tokens[_at++].Text;
            left = new Call(null, op, [left, Unary()]);
        }
        return left;
    }

    private Expr Unary()
    {
        if (++_depth > MaxDepth)
        {
            throw new CelException("expression is nested too deeply");
        }
        try
        {
            if (Take("!"))
            {
                return new Call(null, "!", [Unary()]);
            }
            if (Take("-"))
            {
                if (Current.Kind is TokenKind.Int && Current.Text == "9223372036854775808")
                {
                    _at++;
                    return new Literal(long.MinValue);
                }
                return new Call(null, "-", [Unary()]);
            }
            return Member();
        }
        finally
        {
            _depth--;
        }
    }

    private Expr Member()
    {
        var expr = Primary();
        while (true)
        {
            if (Take("."))
            {
                var optional = Take("?");
                if (Current.Kind != TokenKind.Ident)
                {
                    throw Unexpected();
                }
                var name = _tokens[_at++].Text;
                expr = !optional && Take("(") ? MemberCall(expr, name) : new Select(expr, name, false, optional);
            }
            else if (Take("["))
            {
                var optional = Take("?");
                var at = Ternary();
                Expect("]");
                expr = new Index(expr, at, optional);
            }
            else
            {
                return expr;
            }
        }
    }

    private Expr MemberCall(Expr target, string name)
    {
        var args = Arguments(")");
        if (!Macros.Contains(name) || args.Count is < 2 or > 3 || args[0] is not Ident variable)
        {
            return new Call(target, name, args);
        }
        if (args.Count == 2)
        {
            return new Comprehension(target, name, variable.Name, null, args[1], null);
        }
        return name == "map"
            ? new Comprehension(target, "map", variable.Name, null, args[1], args[2])
            : args[1] is Ident second
                ? new Comprehension(target, name, variable.Name, second.Name, args[2], null)
                : throw new CelException($"argument of {name}() must be a simple name");
    }

    private List<Expr> Arguments(string close)
    {
        var args = new List<Expr>();
        while (!Take(close))
        {
            args.Add(Ternary());
            if (!Take(","))
            {
                Expect(close);
                break;
            }
        }
        return args;
    }
}
