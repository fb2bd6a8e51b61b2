namespace Kube.Server.Cel;

/// <summary>The syntax tree of CEL.</summary>
internal abstract record Expr;

internal sealed record Literal(object? Value) : Expr;

internal sealed record Ident(string Name) : Expr;

/// <summary>operand.field; <see cref="Test"/> is has(operand.field).</summary>
internal sealed record Select(Expr Operand, string Field, bool Test, bool Optional) : Expr;

internal sealed record Index(Expr Operand, Expr At, bool Optional) : Expr;

internal sealed record Call(Expr? Target, string Function, IReadOnlyList<Expr> Args) : Expr;

internal sealed record ListLiteral(IReadOnlyList<Expr> Items) : Expr;

internal sealed record MapLiteral(IReadOnlyList<(Expr Key, Expr Value)> Entries) : Expr;

internal sealed record Comprehension(Expr Range, string Macro, string Variable, string? Second, Expr Body, Expr? Result) : Expr;
