using System.Text;

namespace Kube.Server;

/// <summary>
/// Where a walk is in a document, to name fields that are there twice or not known. Names are put together only then: to carry them along
/// would copy a long key once for each thing below it, so that a request of a few megabytes would keep a processor busy for minutes.
/// </summary>
internal sealed class FieldTrail(List<string>? names)
{
    /// <summary>As many as Kubernetes tells; more say nothing more.</summary>
    public const int MaxNames = 100;

    /// <summary>A longer name is cut.</summary>
    public const int MaxLength = 1024;

    private readonly List<(string? Key, int Index)> _steps = [];

    /// <summary>Goes to a key of an object.</summary>
    public void Enter(string key) => _steps.Add((key, 0));

    /// <summary>Goes to an item of an array.</summary>
    public void Enter(int index) => _steps.Add((null, index));

    /// <summary>Goes back.</summary>
    public void Leave() => _steps.RemoveAt(_steps.Count - 1);

    /// <summary>Names the field where the walk is.</summary>
    public void Note()
    {
        if (names is null || names.Count >= MaxNames)
        {
            return;
        }
        var text = new StringBuilder();
        foreach (var (key, index) in _steps)
        {
            if (key is null)
            {
                text.Append('[').Append(index).Append(']');
            }
            else
            {
                text.Append(text.Length == 0 ? "" : ".").Append(key.AsSpan(0, Math.Min(key.Length, MaxLength)));
            }
            if (text.Length > MaxLength)
            {
                text.Length = MaxLength;
                text.Append("...");
                break;
            }
        }
        names.Add(text.ToString());
    }
}
