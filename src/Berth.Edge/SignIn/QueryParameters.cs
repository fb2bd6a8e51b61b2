using System.Diagnostics.CodeAnalysis;

namespace Berth.Edge;

/// <summary>Query parameters of which each may be given once.</summary>
internal static class QueryParameters
{
    /// <summary>Reads one: null when absent.</summary>
    /// <returns>False when it is given twice, or is longer than allowed, or holds control characters.</returns>
    public static bool TrySingle(IQueryCollection query, string name, int maximum, out string? value)
    {
        var values = query[name];
        value = values.Count == 1 ? values[0] : null;
        if (value is { Length: 0 })
        {
            value = null;
        }

        return values.Count <= 1 && (value is null || (value.Length <= maximum && !value.Any(char.IsControl)));
    }

    /// <summary>Appends parameters to a URL that may have a query already; null values are left out.</summary>
    public static string Append(Uri url, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var text = new System.Text.StringBuilder(url.AbsoluteUri);
        var separator = url.Query.Length > 0 ? '&' : '?';
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
            {
                text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
                separator = '&';
            }
        }

        return text.ToString();
    }

    /// <summary>Makes text of a provider fit for a log line.</summary>
    [return: NotNullIfNotNull(nameof(text))]
    public static string? ForLog(string? text) => text is null
        ? null
        : new string([.. text.Take(200).Select(c => char.IsControl(c) || c > '~' ? '?' : c)]);
}
