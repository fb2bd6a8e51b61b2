using System.Text.Json.Serialization.Metadata;
using Kube.Client.Models;

namespace Kube.Client;

/// <summary>What every object of the API has.</summary>
public interface IKubeObject
{
    /// <summary><c>group/version</c>.</summary>
    string ApiVersion { get; }

    /// <summary>The kind in CamelCase.</summary>
    string Kind { get; }

    /// <summary>Name, namespace, labels, owners, versions.</summary>
    ObjectMeta Metadata { get; }
}

/// <summary>
/// A kind known at compile time: static members give its place in the API and its generated JSON code, so nothing is found by reflection.
/// </summary>
/// <typeparam name="TSelf">The kind itself.</typeparam>
public interface IKubeResource<TSelf> : IKubeObject
    where TSelf : class, IKubeResource<TSelf>
{
    /// <summary>Where the kind lives in the API.</summary>
    static abstract ResourceDescriptor Descriptor { get; }

    /// <summary>Source-generated JSON metadata of the kind.</summary>
    static abstract JsonTypeInfo<TSelf> JsonTypeInfo { get; }
}

/// <summary>Short cuts for objects of any kind.</summary>
public static class KubeObjectExtensions
{
    /// <summary>Namespace and name.</summary>
    public static ResourceKey Key(this IKubeObject obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return new(obj.Metadata.Namespace ?? "", obj.Metadata.Name ?? "");
    }
}
