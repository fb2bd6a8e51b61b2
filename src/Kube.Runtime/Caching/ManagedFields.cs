using System.Runtime.CompilerServices;
using System.Text.Json;
using Kube.Client.Models;

namespace Kube.Runtime;

/// <summary>Drops the managed fields of an object that was just read and that nobody else has seen yet.</summary>
/// <remarks>
/// Metadata is immutable to everybody who holds an object; a generic <c>with</c> over any kind does not exist. Between the parser and the
/// store
/// the object has one owner, so setting the property there is safe. UnsafeAccessor is resolved at compile time, also ahead of time.
/// </remarks>
internal static class ManagedFields
{
    public static void Strip(ObjectMeta metadata)
    {
        if (metadata.ManagedFields is not null)
        {
            Set(metadata, null);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ManagedFields")]
    private static extern void Set(ObjectMeta metadata, JsonElement? value);
}
