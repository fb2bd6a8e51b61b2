using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Berth.Edge;

/// <summary>
/// A piece of HTML. Made only from interpolated strings, whose literal parts are markup and whose holes are text: a hole is encoded unless
/// it is HTML already, so nothing that came from outside can become markup.
/// </summary>
internal readonly struct Html
{
    private readonly string? _text;

    private Html(string text) => _text = text;

    /// <summary>Nothing.</summary>
    public static Html Empty => default;

    /// <summary>Makes a piece.</summary>
    public static Html Of(HtmlHandler handler) => new(handler.ToString());

    /// <summary>Pieces one after the other.</summary>
    public static Html Join(IEnumerable<Html> pieces) => new(string.Concat(pieces.Select(p => p.ToString())));

    /// <summary>The markup.</summary>
    public override string ToString() => _text ?? "";

    /// <summary>Encodes the holes of an interpolated string.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct HtmlHandler(int literalLength, int holes)
    {
        private readonly StringBuilder _text = new(literalLength + (holes * 16));

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(Html html) => _text.Append(html.ToString());

        public void AppendFormatted(string? text) => _text.Append(HtmlEncoder.Default.Encode(text ?? ""));

        public void AppendFormatted(int number) => _text.Append(number);

        public void AppendFormatted(bool condition, string format)
        {
            // {condition:attribute} writes the attribute when true.
            if (condition)
            {
                _text.Append(' ').Append(format);
            }
        }

        public override string ToString() => _text.ToString();
    }
}
