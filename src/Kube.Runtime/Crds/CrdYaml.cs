using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kube.Runtime;

/// <summary>Writes JSON as YAML in block style. By events, since YamlDotNet's serialiser needs reflection.</summary>
internal static class CrdYaml
{
    public static string Write(JsonNode json)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };

        // No folding: a description stays on one line, and a diff shows what changed.
        var emitter = new Emitter(text, EmitterSettings.Default.WithBestWidth(int.MaxValue).WithMaxSimpleKeyLength(1024));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, [], isImplicit: true));
        Emit(emitter, json);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        var yaml = text.ToString();
        return yaml.EndsWith('\n') ? yaml : yaml + "\n";
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject obj:
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, true, obj.Count == 0 ? MappingStyle.Flow
                    : MappingStyle.Block));
                foreach (var (key, value) in obj)
                {
                    emitter.Emit(Text(key));
                    Emit(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray array:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, true, array.Count == 0 ? SequenceStyle.Flow
                    : SequenceStyle.Block));
                foreach (var item in array)
                {
                    Emit(emitter, item);
                }

                emitter.Emit(new SequenceEnd());
                break;
            default:
                emitter.Emit(node?.GetValueKind() == JsonValueKind.String ? Text(node.GetValue<string>())
                    : Plain(node?.ToJsonString() ?? "null"));
                break;
        }
    }

    private static Scalar Plain(string text) => new(AnchorName.Empty, TagName.Empty, text, ScalarStyle.Plain, true, true);

    private static Scalar Text(string text)
    {
        var style = text.Contains('\n', StringComparison.Ordinal) ? ScalarStyle.Literal : NeedsQuotes(text) ? ScalarStyle.SingleQuoted
            : ScalarStyle.Any;
        return new(AnchorName.Empty, TagName.Empty, text, style, true, true);
    }

    /// <summary>Texts that some YAML reader would take for something else: 1.1 knows yes, no, on, off, octal and sexagesimal numbers. The
    /// emitter knows only what would not parse.</summary>
    private static bool NeedsQuotes(string text) =>
        text.Length == 0
        || text is "~" or "=" or "<<" or "y" or "Y" or "n" or "N"
        || text.ToUpperInvariant() is "NULL" or "TRUE" or "FALSE" or "YES" or "NO" or "ON" or "OFF"
        || char.IsAsciiDigit(text[0])
        || (text[0] is '-' or '+' or '.' && text.Length > 1 && (char.IsAsciiDigit(text[1]) || text[1] is '.' or 'i' or 'I' or 'n' or 'N'));
}
