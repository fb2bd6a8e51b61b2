using Kube.Server.Kinds;

namespace Kube.Server.Schema;

/// <summary>Definitions and kinds of builtin.schema, read once.</summary>
internal static class BuiltinSchemas
{
    private static readonly Lazy<SchemaLanguage.Result> Read = new(() =>
    {
        using var stream = typeof(BuiltinSchemas).Assembly.GetManifestResourceStream("builtin.schema")!;
        using var reader = new StreamReader(stream);
        return SchemaLanguage.Read(reader.ReadToEnd());
    });

    public static IReadOnlyDictionary<string, SchemaNode> Types => Read.Value.Types;

    public static IReadOnlyList<KindInfo> Kinds => Read.Value.Kinds;

    public static SchemaNode ObjectMeta => Read.Value.Types["meta.v1.ObjectMeta"];
}
