using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Cel;

/// <summary>One entry of x-kubernetes-validations, compiled.</summary>
internal sealed record CelRule(string Source, Expr Body, bool UsesOldSelf, string? Message, Expr? MessageExpression, string Reason,
    string FieldPath, bool OptionalOldSelf)
{
    /// <summary>Steps one evaluation may take, after Kubernetes' limit per call.</summary>
    public const long Limit = 1_000_000;

    public static CelRule Compile(JsonObject rule, SchemaNode schema)
    {
        var source = Json.Text(rule, "rule");
        if (string.IsNullOrWhiteSpace(source))
        {
            throw new CelException("rule is not specified");
        }
        var optional = Json.AsBool(rule["optionalOldSelf"]);
        var body = CelParser.Parse(source);
        var usesOld = CelChecker.Check(body, schema, optional);
        Expr? message = null;
        if (Json.Text(rule, "messageExpression") is { Length: > 0 } messageSource)
        {
            try
            {
                message = CelParser.Parse(messageSource);
                CelChecker.Check(message, schema, optional);
            }
            catch (CelException e)
            {
                throw new CelException(e.Message, "messageExpression");
            }
        }
        var reason = Json.Text(rule, "reason") ?? "FieldValueInvalid";
        if (reason is not ("FieldValueInvalid" or "FieldValueForbidden" or "FieldValueRequired" or "FieldValueDuplicate"))
        {
            throw new CelException("must be one of FieldValueInvalid, FieldValueForbidden, FieldValueRequired, FieldValueDuplicate",
                "reason");
        }
        return new CelRule(source, body, usesOld, Json.Text(rule, "message"), message, reason, Json.Text(rule, "fieldPath") ?? "",
            optional);
    }
}

/// <summary>
/// Evaluates the rules of a schema over an object, with the old object where it can be correlated (fields, map keys, map-list items).
/// </summary>
internal static class CelValidator
{
    public const long RequestLimit = 10_000_000;

    public static void Validate(JsonNode? value, JsonNode? old, bool hasOld, SchemaNode schema, List<FieldError> errors)
    {
        if (!schema.AnyValidation)
        {
            return;
        }
        var budget = RequestLimit;
        try
        {
            Walk(value, old, hasOld, schema, "", errors, ref budget);
        }
        catch (CelBudgetException e)
        {
            errors.Add(FieldError.InvalidText("<nil>", "\"null\"", e.Message));
        }
    }

    private static void Walk(JsonNode? value, JsonNode? old, bool hasOld, SchemaNode schema, string path, List<FieldError> errors,
        ref long budget)
    {
        if (!schema.AnyValidation || value is null)
        {
            return;
        }
        foreach (var rule in schema.Validations)
        {
            if (rule.UsesOldSelf && !hasOld && !rule.OptionalOldSelf)
            {
                continue;
            }
            Evaluate(rule, value, old, hasOld, schema, path, errors, ref budget);
        }
        switch (value)
        {
            case JsonObject obj:
                var oldObject = old as JsonObject;
                foreach (var (key, child) in obj)
                {
                    if (schema.Child(key) is { } childSchema)
                    {
                        JsonNode? oldChild = null;
                        var has = hasOld && oldObject is not null && oldObject.TryGetPropertyValue(key, out oldChild)
                            && oldChild is not null;
                        Walk(child, oldChild, has, childSchema, path.Length == 0 ? key : path + "." + key, errors, ref budget);
                    }
                }
                break;
            case JsonArray array when schema.Items is { AnyValidation: true } items:
                for (var i = 0; i < array.Count; i++)
                {
                    JsonNode? oldItem = null;
                    if (hasOld && schema.ListType == "map" && old is JsonArray oldArray)
                    {
                        var key = Json.ToText(ListTypes.KeyOf(array[i], schema));
                        oldItem = oldArray.FirstOrDefault(item => Json.ToText(ListTypes.KeyOf(item, schema)) == key);
                    }
                    Walk(array[i], oldItem, oldItem is not null, items, $"{path}[{i}]", errors, ref budget);
                }
                break;
        }
    }

    private static void Evaluate(CelRule rule, JsonNode value, JsonNode? old, bool hasOld, SchemaNode schema, string path,
        List<FieldError> errors, ref long budget)
    {
        var machine = new CelEvaluator(Math.Min(CelRule.Limit, budget));
        var before = machine.Left;
        object? oldValue = hasOld ? CelValue.From(old, schema) : null;
        if (rule.OptionalOldSelf)
        {
            oldValue = hasOld ? new CelOptional(true, oldValue) : CelOptional.None;
        }
        var scope = new Scope(new Scope(null, "self", CelValue.From(value, schema)), "oldSelf", oldValue);
        var field = path + rule.FieldPath;
        field = path.Length == 0 && field.StartsWith('.') ? field[1..] : field;
        try
        {
            if (machine.Eval(rule.Body, scope) is true)
            {
                return;
            }
            errors.Add(Failure(rule, field, value, Message(rule, machine, scope)));
        }
        catch (CelError e)
        {
            errors.Add(FieldError.InvalidText(field, $"\"{SchemaValidator.TypeOf(value)}\"",
                $"{e.Message} evaluating rule: {rule.Message ?? rule.Source}"));
        }
        finally
        {
            budget -= before - machine.Left;
        }
    }

    private static string Message(CelRule rule, CelEvaluator machine, Scope scope)
    {
        if (rule.MessageExpression is { } expression)
        {
            try
            {
                if (machine.Eval(expression, scope) is string text && text.Trim().Length > 0
                    && !text.Contains('\n', StringComparison.Ordinal))
                {
                    return text;
                }
            }
            catch (CelError)
            {
                // The fixed message, or the rule itself, stands in for a message that cannot be made.
            }
        }
        return rule.Message is { Length: > 0 } message ? message : "failed rule: " + rule.Source.Trim();
    }

    private static FieldError Failure(CelRule rule, string field, JsonNode value, string message) => rule.Reason switch
    {
        "FieldValueForbidden" => FieldError.Forbidden(field, message),
        "FieldValueRequired" => FieldError.Required(field, message),
        "FieldValueDuplicate" =>
            FieldError.Plain("FieldValueDuplicate", field, $"Duplicate value: \"{SchemaValidator.TypeOf(value)}\": {message}"),
        _ => FieldError.InvalidText(field, $"\"{SchemaValidator.TypeOf(value)}\"", message),
    };
}
