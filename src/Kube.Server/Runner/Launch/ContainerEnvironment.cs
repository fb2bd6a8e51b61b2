using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Kube.Server.Runner.Launch;

/// <summary>
/// Makes a container's environment: nothing of the host's own, then the image's, envFrom, env, and the assigned ports over all.
/// What the pod declares is rewritten from mount paths to folders, before anything is put into it; what the catalogue says are
/// paths of this machine already.
/// </summary>
internal static class ContainerEnvironment
{
    /// <exception cref="ConfigException">A config map, secret, key or field does not exist.</exception>
    public static Dictionary<string, string> Build(ContainerContext context, MountTable mounts)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = context.SearchPath,
            ["HOME"] = context.Home,
            ["TMPDIR"] = context.Temp,
            ["LANG"] = "C.UTF-8",
            ["HOSTNAME"] = context.Pod.Source.Object("spec").Text("hostname") ?? context.Pod.Name,
        };

        // The assigned ports win over everything: a declared PORT is one of the container's own network, which does not exist here.
        var assigned = AssignedPorts(context);
        void Set(string name, string value) => known[name] = assigned.GetValueOrDefault(name) ?? value;
        foreach (var (name, value) in assigned)
        {
            Set(name, value);
        }

        foreach (var (name, value) in context.Image.Variables)
        {
            Set(name, Expansion.Expand(value, n => known.GetValueOrDefault(n)));
        }

        foreach (var (name, value) in context.Container.EnvFrom.SelectMany(s => From(context, s)))
        {
            Set(name, mounts.Rewrite(value));
        }

        foreach (var entry in context.Container.Env)
        {
            if (entry.Text("name") is { Length: > 0 } name && Value(context, entry, known, mounts) is { } value)
            {
                Set(name, value);
            }
        }

        return known;
    }

    // PORT is the first port, or the one named http; every named port is also given as PORT_<NAME>. A container without ports of
    // its own gets those of the pod: containers of a pod share its network, and what runs beside an application asks it at the port
    // that it is told.
    private static Dictionary<string, string> AssignedPorts(ContainerContext context)
    {
        var ports = new Dictionary<string, string>(StringComparer.Ordinal);
        var declared = context.Container.Ports.IsEmpty ? context.Pod.Containers.SelectMany(c => c.Ports) : context.Container.Ports;
        foreach (var port in declared.Where(p => context.Ports.ContainsKey(p.ContainerPort)))
        {
            var number = context.Ports[port.ContainerPort].ToString(CultureInfo.InvariantCulture);
            if (port.Name == "http" || !ports.ContainsKey("PORT"))
            {
                ports["PORT"] = number;
            }

            if (port.Name is { Length: > 0 } name)
            {
                ports[$"PORT_{name.ToUpperInvariant().Replace('-', '_')}"] = number;
            }
        }

        return ports;
    }

    private static List<KeyValuePair<string, string>> From(ContainerContext context, JsonObject source)
    {
        var secret = source.Object("secretRef");
        var reference = secret ?? source.Object("configMapRef");
        var name = reference.Text("name") ?? "";
        var found = context.Lookup(secret is null ? GroupResource.ConfigMaps : GroupResource.Secrets, name);
        if (found is null)
        {
            return reference.Flag("optional") ? []
                : throw new ConfigException($"{(secret is null ? "configmap" : "secret")} \"{name}\" not found");
        }

        var prefix = source.Text("prefix") ?? "";
        return [.. found.Map("data").Select(e => new KeyValuePair<string, string>(prefix + e.Key, secret is null ? e.Value
            : Decode(e.Value)))
            .Where(e => e.Key.Length > 0 && !e.Key.Contains('=', StringComparison.Ordinal))];
    }

    private static string? Value(ContainerContext context, JsonObject entry, Dictionary<string, string> known, MountTable mounts)
    {
        var from = entry.Object("valueFrom");
        if (from is null)
        {
            return Expansion.Expand(mounts.Rewrite(entry.Text("value") ?? ""), n => known.GetValueOrDefault(n));
        }

        if (from.Object("fieldRef") is { } field)
        {
            return DownwardFields.Read(context.Pod, field.Text("fieldPath") ?? "");
        }

        if (from.Object("resourceFieldRef") is { } resource)
        {
            return DownwardFields.Resource(context.Pod, resource, context.Container.Name);
        }

        var value = from.Object("configMapKeyRef") is { } configMap ? Key(context, GroupResource.ConfigMaps, "configmap", configMap)
            : from.Object("secretKeyRef") is { } secret ? Key(context, GroupResource.Secrets, "secret", secret)
            : throw new ConfigException(
                $"env {entry.Text("name")}: valueFrom needs one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef");
        return value is null ? null : mounts.Rewrite(value);
    }

    private static string? Key(ContainerContext context, GroupResource resource, string kind, JsonObject reference)
    {
        var name = reference.Text("name") ?? "";
        var key = reference.Text("key") ?? "";
        var found = context.Lookup(resource, name);
        if (found.Object("data").Text(key) is { } value)
        {
            return resource == GroupResource.Secrets ? Decode(value) : value;
        }

        return reference.Flag("optional") ? null
            : throw new ConfigException(found is null ? $"{kind} \"{name}\" not found"
                : $"couldn't find key {key} in {kind} {context.Pod.Namespace}/{name}");
    }

    private static string Decode(string base64)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        }
        catch (FormatException)
        {
            throw new ConfigException("a secret's data is not base64");
        }
    }
}
