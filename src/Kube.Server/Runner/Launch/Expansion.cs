using System.Text;

namespace Kube.Server.Runner.Launch;

/// <summary>
/// Kubernetes' <c>$(VAR)</c>: known names are replaced, unknown ones stay as they are, <c>$$</c> stands for one dollar sign.
/// </summary>
internal static class Expansion
{
    public static string Expand(string text, Func<string, string?> lookup)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length)
            {
                result.Append(text[i]);
                continue;
            }

            if (text[i + 1] == '$')
            {
                result.Append('$');
                i++;
                continue;
            }

            var end = text[i + 1] == '(' ? text.IndexOf(')', i + 2) : -1;
            if (end < 0)
            {
                result.Append('$');
                continue;
            }

            result.Append(lookup(text[(i + 2)..end]) ?? text[i..(end + 1)]);
            i = end;
        }

        return result.ToString();
    }
}
