using Kube.Server.Schema;

namespace Kube.Server.Cel;

/// <summary>
/// A light check at compile time: names, functions and fields that cannot exist. What the schema does not determine passes and is decided
/// at run time.
/// </summary>
internal static class CelChecker
{
    public static bool Check(Expr expr, SchemaNode self, bool optionalOldSelf)
    {
        var state = new State();
        Infer(expr, new Names(new Names(null, "self", self), "oldSelf", optionalOldSelf ? null : self), state);
        return state.UsesOldSelf;
    }

    private static SchemaNode? Infer(Expr expr, Names names, State state)
    {
        switch (expr)
        {
            case Ident ident:
                if (names.Find(ident.Name) is not { } variable)
                {
                    return ident.Name is "int" or "string" or "bool" or "double" or "uint" or "bytes" or "list" or "map"
                        or "type" or "null_type" or "optional"
                        ? null
                        : throw new CelException($"undeclared reference to '{ident.Name}' (in container '')");
                }
                state.UsesOldSelf |= ident.Name == "oldSelf";
                return variable.Schema;
            case Select select:
                return Field(Infer(select.Operand, names, state), select.Field);
            case Index index:
                Infer(index.At, names, state);
                var operand = Infer(index.Operand, names, state);
                return operand?.Type == "array" ? operand.Items : operand?.AdditionalProperties;
            case Call call:
                var target = call.Target is null ? null : Infer(call.Target, names, state);
                foreach (var arg in call.Args)
                {
                    Infer(arg, names, state);
                }
                if (char.IsLetter(call.Function[0]) && call.Function != "in" && !CelFunctions.Names.Contains(call.Function))
                {
                    throw new CelException($"undeclared reference to '{call.Function}' (in container '')");
                }
                return call.Function is "value" or "dyn" ? target : null;
            case ListLiteral list:
                foreach (var item in list.Items)
                {
                    Infer(item, names, state);
                }
                return null;
            case MapLiteral map:
                foreach (var (key, value) in map.Entries)
                {
                    Infer(key, names, state);
                    Infer(value, names, state);
                }
                return null;
            case Comprehension macro:
                var range = Infer(macro.Range, names, state);
                var element = range?.Type == "array" ? range.Items : null;
                var inner = new Names(names, macro.Variable, macro.Second is null ? element : null);
                if (macro.Second is { } second)
                {
                    inner = new Names(inner, second, element ?? range?.AdditionalProperties);
                }
                Infer(macro.Body, inner, state);
                if (macro.Result is { } result)
                {
                    Infer(result, inner, state);
                }
                return macro.Macro == "filter" && element is not null ? range : null;
            default:
                return null;
        }
    }

    private static SchemaNode? Field(SchemaNode? operand, string field)
    {
        if (operand is null || operand.Type.Length == 0 || operand.IntOrString)
        {
            return null;
        }
        var name = CelNames.Unescape(field);
        if ((operand.Properties.GetValueOrDefault(field) ?? operand.Properties.GetValueOrDefault(name)) is { } known)
        {
            return known;
        }
        if (operand.AdditionalProperties is not null)
        {
            return operand.AdditionalProperties;
        }
        return operand.IsObject && (operand.EmbeddedResource || operand.PreserveUnknownFields)
            ? null
            : throw new CelException(
                operand.IsObject ? $"undefined field '{field}'" : $"type '{operand.Type}' does not support field selection");
    }

    private sealed class State
    {
        public bool UsesOldSelf { get; set; }
    }

    private sealed record Names(Names? Outer, string Name, SchemaNode? Schema)
    {
        public Names? Find(string wanted) => Name == wanted ? this : Outer?.Find(wanted);
    }
}
