namespace Kube.Server.Cel;

/// <summary>Walks an expression. Every step costs one unit of the budget; when it is spent, evaluation stops with an error.</summary>
internal sealed class CelEvaluator(long budget)
{
    private long _left = budget;

    public long Left => _left;

    public void Charge(long units)
    {
        _left -= units;
        if (_left < 0)
        {
            throw new CelBudgetException();
        }
    }

    public object? Eval(Expr expr, Scope scope)
    {
        Charge(1);
        switch (expr)
        {
            case Literal literal:
                return literal.Value;
            case Ident ident:
                return scope.TryGet(ident.Name, out var found) ? found : throw new CelError($"no such attribute: {ident.Name}");
            case Select select:
                return EvalSelect(select, scope);
            case Index index:
                return EvalIndex(index, scope);
            case ListLiteral list:
                return list.Items.Select(item => Eval(item, scope)).ToList();
            case MapLiteral map:
                var result = new Dictionary<object, object?>();
                foreach (var (key, value) in map.Entries)
                {
                    result[Eval(key, scope) ?? throw new CelError("unsupported key type: null")] = Eval(value, scope);
                }
                return result;
            case Comprehension comprehension:
                return EvalComprehension(comprehension, scope);
            case Call call:
                return EvalCall(call, scope);
            default:
                throw new CelError("unknown expression");
        }
    }

    private object? EvalSelect(Select select, Scope scope)
    {
        var operand = Eval(select.Operand, scope);
        var viaOptional = operand is CelOptional;
        if (operand is CelOptional optional)
        {
            if (!optional.HasValue)
            {
                return select.Test ? false : optional;
            }
            operand = optional.Value;
        }
        var present = operand is not null && CelValue.TryIndex(operand, select.Field, out _);
        object? value = null;
        if (present)
        {
            CelValue.TryIndex(operand!, select.Field, out value);
        }
        if (select.Test)
        {
            return operand is CelObject or Dictionary<object, object?>
                ? present
                : throw new CelError("no such overload: has() on " + CelValue.TypeName(operand));
        }
        if (select.Optional || viaOptional)
        {
            return present ? new CelOptional(true, value) : CelOptional.None;
        }
        return present ? value : throw new CelError($"no such key: {select.Field}");
    }

    private object? EvalIndex(Index index, Scope scope)
    {
        var operand = Eval(index.Operand, scope);
        var at = Eval(index.At, scope);
        var optional = index.Optional;
        if (operand is CelOptional wrapped)
        {
            if (!wrapped.HasValue)
            {
                return wrapped;
            }
            operand = wrapped.Value;
            optional = true;
        }
        if (operand is IReadOnlyList<object?> list)
        {
            var position = at switch
            {
                long l => l,
                ulong u => (long)u,
                double d when d == Math.Floor(d) => (long)d,
                _ => throw new CelError("no such overload: list index must be an int"),
            };
            if (position >= 0 && position < list.Count)
            {
                return optional ? new CelOptional(true, list[(int)position]) : list[(int)position];
            }
            return optional ? CelOptional.None : throw new CelError($"index out of bounds: {position}");
        }
        if (operand is CelObject or Dictionary<object, object?>)
        {
            if (CelValue.TryIndex(operand, at, out var value))
            {
                return optional ? new CelOptional(true, value) : value;
            }
            return optional ? CelOptional.None : throw new CelError($"no such key: {at}");
        }
        throw new CelError($"no such overload: index on {CelValue.TypeName(operand)}");
    }

    private object? EvalComprehension(Comprehension macro, Scope scope)
    {
        var range = Eval(macro.Range, scope);
        IEnumerable<(object? First, object? Second)> items = range switch
        {
            IReadOnlyList<object?> list when macro.Second is null => list.Select(item => (item, (object?)null)),
            IReadOnlyList<object?> list => list.Select((item, i) => ((object?)(long)i, item)),
            CelObject or Dictionary<object, object?> => CelValue.Entries(range).Select(e => ((object?)e.Key, e.Value)),
            _ => throw new CelError($"expression of type '{CelValue.TypeName(range)}' cannot be range of a comprehension"),
        };
        var output = new List<object?>();
        var matches = 0;
        Exception? pending = null;
        foreach (var (first, second) in items)
        {
            var inner = new Scope(scope, macro.Variable, first);
            if (macro.Second is { } secondName)
            {
                inner = new Scope(inner, secondName, second);
            }
            switch (macro.Macro)
            {
                case "map":
                    if (macro.Result is null)
                    {
                        output.Add(Eval(macro.Body, inner));
                    }
                    else if (Bool(Eval(macro.Body, inner)))
                    {
                        output.Add(Eval(macro.Result, inner));
                    }
                    continue;
                case "filter":
                    if (Bool(Eval(macro.Body, inner)))
                    {
                        output.Add(first);
                    }
                    continue;
                case "exists_one" or "existsOne":
                    matches += Bool(Eval(macro.Body, inner)) ? 1 : 0;
                    continue;
            }
            try
            {
                var hit = Bool(Eval(macro.Body, inner));
                if (macro.Macro == "all" ? !hit : hit)
                {
                    return macro.Macro != "all";
                }
            }
            catch (CelError e)
            {
                pending = e;
            }
        }
        if (pending is not null)
        {
            throw pending;
        }
        return macro.Macro switch
        {
            "all" => true,
            "exists" => false,
            "exists_one" or "existsOne" => matches == 1,
            _ => output,
        };
    }

    private object? EvalCall(Call call, Scope scope)
    {
        switch (call.Function)
        {
            case "&&" or "||" when call.Target is null:
                return Logic(call, scope, call.Function == "||");
            case "?:" when call.Target is null:
                return Eval(Bool(Eval(call.Args[0], scope)) ? call.Args[1] : call.Args[2], scope);
        }
        if (call.Target is Ident { Name: "optional" } && !scope.TryGet("optional", out _))
        {
            return call.Function switch
            {
                "none" => CelOptional.None,
                "of" => new CelOptional(true, Eval(call.Args[0], scope)),
                _ => throw new CelError("unknown optional." + call.Function),
            };
        }
        var args = new object?[call.Args.Count];
        var target = call.Target is null ? null : Eval(call.Target, scope);
        for (var i = 0; i < args.Length; i++)
        {
            args[i] = Eval(call.Args[i], scope);
        }
        return call.Target is null
            ? CelFunctions.Global(this, call.Function, args)
            : CelFunctions.Member(this, target, call.Function, args);
    }

    // Commutative: an error on one side does not matter when the other side decides.
    private bool Logic(Call call, Scope scope, bool decisive)
    {
        CelError? error = null;
        foreach (var arg in call.Args)
        {
            try
            {
                if (Bool(Eval(arg, scope)) == decisive)
                {
                    return decisive;
                }
            }
            catch (CelError e)
            {
                error = e;
            }
        }
        return error is null ? !decisive : throw error;
    }

    private static bool Bool(object? value) =>
        value is bool flag ? flag : throw new CelError("no such overload: expected bool, got " + CelValue.TypeName(value));
}

internal sealed class CelBudgetException()
    : Exception("validation failed due to running out of cost budget, no further validation rules will be run");

/// <summary>Variables, innermost first.</summary>
internal sealed class Scope(Scope? outer, string name, object? value)
{
    public bool TryGet(string wanted, out object? found)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope.Name == wanted)
            {
                found = scope.Value;
                return true;
            }
        }
        found = null;
        return false;
    }

    private Scope? Outer { get; } = outer;

    private string Name { get; } = name;

    private object? Value { get; } = value;
}
