namespace Kube.Client.Schema;

// What System.ComponentModel cannot say about the schema of a custom resource. Descriptions, ranges, patterns, lengths, enums and required
// fields are taken from [Description], [Range], [RegularExpression], [StringLength]/[MinLength]/[MaxLength], [AllowedValues], [Required].

/// <summary>A CEL rule (<c>x-kubernetes-validations</c>) on an object or a field; needs Kubernetes 1.25.</summary>
/// <param name="rule">The expression; <c>self</c> and <c>oldSelf</c> are the value.</param>
/// <param name="message">What a person reads when it does not hold.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
public sealed class CelRuleAttribute(string rule, string message) : Attribute
{
    /// <summary>The expression.</summary>
    public string Rule { get; } = rule;

    /// <summary>What a person reads when it does not hold.</summary>
    public string Message { get; } = message;
}

/// <summary>A column of <c>kubectl get</c>, in the order of the attributes.</summary>
/// <param name="name">Heading.</param>
/// <param name="type">OpenAPI type: string, integer, number, boolean or date.</param>
/// <param name="jsonPath">Simple JSON path, such as <c>.status.phase</c>.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class PrinterColumnAttribute(string name, string type, string jsonPath) : Attribute
{
    /// <summary>Heading.</summary>
    public string Name { get; } = name;

    /// <summary>OpenAPI type.</summary>
    public string Type { get; } = type;

    /// <summary>Simple JSON path.</summary>
    public string JsonPath { get; } = jsonPath;

    /// <summary>0 (default) is always shown; greater only with <c>-o wide</c>.</summary>
    public int Priority { get; set; }
}

/// <summary>Other names of the resource.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ResourceNamesAttribute : Attribute
{
    /// <summary>Such as <c>uws</c>.</summary>
    public string[] ShortNames { get; set; } = [];

    /// <summary>Such as <c>all</c>.</summary>
    public string[] Categories { get; set; } = [];
}

/// <summary>A list whose items are told apart by keys (<c>x-kubernetes-list-type: map</c>).</summary>
/// <param name="keys">Wire names of the key fields.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListMapAttribute(params string[] keys) : Attribute
{
    /// <summary>Wire names of the key fields.</summary>
    public IReadOnlyList<string> Keys { get; } = keys;
}

/// <summary>Fields that the schema does not name are kept (<c>x-kubernetes-preserve-unknown-fields</c>).</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class PreserveUnknownFieldsAttribute : Attribute;

/// <summary>The value the server fills in where the field is absent.</summary>
/// <param name="json">The value as JSON text, such as <c>"Running"</c> with its quotes, <c>3</c> or <c>{}</c>.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SchemaDefaultAttribute(string json) : Attribute
{
    /// <summary>The value as JSON text.</summary>
    public string Json { get; } = json;
}
