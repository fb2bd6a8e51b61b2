using System.Text.Json.Nodes;
using Kube.Server.Kinds;

namespace Kube.Server.Selectors;

/// <summary>A parsed field selector; which fields a kind can be selected by is fixed, as in Kubernetes.</summary>
internal sealed class FieldSelector
{
    private readonly List<(string[] Path, string Value, bool Negated)> _terms = [];

    public bool IsEmpty => _terms.Count == 0;

    /// <summary>The name asked for with <c>metadata.name=x</c>, or null.</summary>
    public string? ExactName { get; private set; }

    public static FieldSelector Parse(string? text, KindInfo kind)
    {
        var selector = new FieldSelector();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                throw Status.BadRequest($"invalid selector: '{text}'; can't understand '{part}'");
            }
            var negated = part[at - 1] == '!';
            var key = part[..(negated ? at - 1 : at)].Trim();
            var value = part[(at + 1)..].TrimStart('=').Replace("\\,", ",", StringComparison.Ordinal).Trim();
            if (!Supported(kind, key))
            {
                throw Status.BadRequest($"field label not supported: {key}");
            }
            selector._terms.Add((Path(kind, key), value, negated));
            if (key == "metadata.name" && !negated)
            {
                selector.ExactName = value;
            }
        }
        return selector;
    }

    public bool Matches(JsonObject obj)
    {
        foreach (var (path, value, negated) in _terms)
        {
            var node = Json.At(obj, path);
            var actual = node is null ? "" : Json.AsString(node) ?? Json.ToText(node);
            if (actual == value == negated)
            {
                return false;
            }
        }
        return true;
    }

    private static bool Supported(KindInfo kind, string key)
    {
        if (key is "metadata.name" or "metadata.namespace" || kind.SelectableFields.Contains("." + key))
        {
            return true;
        }
        return (kind.Storage.Group, kind.Storage.Plural) switch
        {
            ("", "pods") => key is "spec.nodeName" or "spec.restartPolicy" or "spec.schedulerName" or "spec.serviceAccountName"
                or "spec.hostNetwork" or "status.phase" or "status.podIP" or "status.nominatedNodeName",
            ("", "events") =>
                key is "reason" or "reportingComponent" or "source" or "type" || key.StartsWith("involvedObject.", StringComparison.Ordinal)
                || key.StartsWith("regarding.", StringComparison.Ordinal),
            ("", "secrets") => key == "type",
            ("", "namespaces") => key == "status.phase",
            ("", "nodes") => key == "spec.unschedulable",
            ("", "services") => key is "spec.clusterIP" or "spec.type",
            _ => false,
        };
    }

    private static string[] Path(KindInfo kind, string key) =>
        (kind.Storage.Plural, key) switch
        {
            ("events", "source") => ["source", "component"],
            ("events", _) when key.StartsWith("regarding.", StringComparison.Ordinal) => ["involvedObject", key[10..]],
            _ => key.Split('.'),
        };
}
