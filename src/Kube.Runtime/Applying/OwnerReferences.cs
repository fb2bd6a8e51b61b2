using Kube.Client;
using Kube.Client.Models;

namespace Kube.Runtime;

/// <summary>Who owns an object: what the garbage collector and <see cref="ControllerBuilder{T}.Owns"/> go by.</summary>
public static class OwnerReferences
{
    /// <summary>The reference of the one controller of an object, or null.</summary>
    public static OwnerReference? ControllerOf(IKubeObject obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        return obj.Metadata.OwnerReferences?.FirstOrDefault(r => r.Controller == true);
    }

    /// <summary>The key of an object's controller when that is of kind <typeparamref name="TOwner"/> (any version of its group), or
    /// null.</summary>
    public static ResourceKey? ControllerKey<TOwner>(IKubeObject obj)
        where TOwner : class, IKubeResource<TOwner>
    {
        var reference = ControllerOf(obj);
        if (reference is null || reference.Kind != TOwner.Descriptor.Kind || GroupOf(reference.ApiVersion) != TOwner.Descriptor.Group)
        {
            return null;
        }

        return new ResourceKey(TOwner.Descriptor.Namespaced ? obj.Metadata.Namespace ?? "" : "", reference.Name);
    }

    /// <summary>Whether <paramref name="owner"/> (this very object, by uid) is the controller of <paramref name="obj"/>.</summary>
    public static bool IsControlledBy(IKubeObject obj, IKubeObject owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return ControllerOf(obj) is { } reference && reference.Uid.Length > 0 && reference.Uid == owner.Metadata.Uid;
    }

    /// <summary>A controller reference to an object that was read from the API.</summary>
    public static OwnerReference ControllerReference(IKubeObject owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        return new OwnerReference
        {
            ApiVersion = owner.ApiVersion,
            Kind = owner.Kind,
            Name = owner.Metadata.Name ?? "",
            Uid = owner.Metadata.Uid ?? throw new ArgumentException("The owner has no uid: it must come from the API.", nameof(owner)),
            Controller = true,
            BlockOwnerDeletion = true,
        };
    }

    /// <summary>Metadata with <paramref name="owner"/> as controller; an older reference to the same object is replaced.</summary>
    /// <exception cref="AlreadyOwnedException">Another object is the controller already.</exception>
    /// <exception cref="ArgumentException">The owner lives in another namespace: the garbage collector would delete the child.</exception>
    public static ObjectMeta SetControllerReference(ObjectMeta metadata, IKubeObject owner)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(owner);
        var reference = ControllerReference(owner);
        if (!string.IsNullOrEmpty(owner.Metadata.Namespace) && owner.Metadata.Namespace != metadata.Namespace)
        {
            throw new ArgumentException(
                $"{owner.Kind} {owner.Metadata.Namespace}/{reference.Name} cannot own {metadata.Name} in namespace '{metadata.Namespace}': "
                + "owners live in the same namespace or in none.",
                nameof(owner));
        }

        var others = (metadata.OwnerReferences ?? []).Where(r => r.Uid != reference.Uid).ToList();
        return others.Find(r => r.Controller == true) is { } controller
            ? throw new AlreadyOwnedException(
                $"{metadata.Namespace}/{metadata.Name} is controlled by {controller.Kind} {controller.Name} already.")
            : metadata with { OwnerReferences = [.. others, reference] };
    }

    private static string GroupOf(string apiVersion)
    {
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? "" : apiVersion[..slash];
    }
}

/// <summary>An object has another controller already; two would fight over it.</summary>
public sealed class AlreadyOwnedException(string message) : Exception(message);
