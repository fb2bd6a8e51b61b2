using System.Text.Json.Nodes;
using Kube.Server.Kinds;

namespace Kube.Server.Apply;

/// <summary>
/// Fields that the server fills in and that therefore nobody manages: the first status, allocated addresses, finalizers of its own.
/// Defaults of the schema are another matter: a writer who leaves a field out has chosen its default, and manages it.
/// </summary>
internal static class ServerFields
{
    private static readonly string[][] OfServices = [["spec", "clusterIP"], ["spec", "clusterIPs"], ["spec", "ipFamilies"],
        ["spec", "ipFamilyPolicy"]];
    private static readonly string[][] OfNamespaces = [["spec", "finalizers"]];
    private static readonly string[][] OfDefinitions = [["metadata", "finalizers"]];

    /// <summary>For a new object, as its writer sent it.</summary>
    public static FieldSet? Of(KindInfo kind, JsonObject sent)
    {
        var paths = (kind.Group, kind.Kind) switch
        {
            ("", "Service") => OfServices,
            ("", "Namespace") => OfNamespaces,
            ("apiextensions.k8s.io", _) => OfDefinitions,
            _ => [],
        };
        var set = Status(kind);
        foreach (var path in paths.Where(path => Json.At(sent, path) is null))
        {
            var at = set ??= new FieldSet();
            foreach (var key in path)
            {
                at = at.Child("f:" + key);
            }
            at.Member = true;
        }
        return set;
    }

    /// <summary>The status, where it is written through its subresource only.</summary>
    public static FieldSet? Status(KindInfo kind)
    {
        if (!kind.HasStatus)
        {
            return null;
        }
        var set = new FieldSet();
        set.Child("f:status").Member = true;
        return set;
    }
}
