using System.Text;

namespace Kube.Client.Http;

/// <summary>Builds the query of a request; parameters without a value are left out.</summary>
internal sealed class QueryText(string path)
{
    private readonly StringBuilder _text = new(path);
    private bool _any;

    public QueryText Add(string name, string? value)
    {
        if (value is not null)
        {
            _text.Append(_any ? '&' : '?').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            _any = true;
        }

        return this;
    }

    public QueryText Add(string name, long? value) => Add(name, value?.ToString(System.Globalization.CultureInfo.InvariantCulture));

    public QueryText Flag(string name, bool value) => Add(name, value ? "true" : null);

    public override string ToString() => _text.ToString();
}
