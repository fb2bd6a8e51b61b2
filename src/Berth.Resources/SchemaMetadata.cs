namespace Berth.Resources;

/// <summary>What the trimmer is told where the types bear attributes that it is wary of.</summary>
internal static class SchemaMetadata
{
    /// <summary>Why a <c>MaxLength</c> on a list or map is harmless. A pragma would quiet the compiler only, not the trimmer.</summary>
    internal const string Why = "MaxLength is read as metadata for the schema; what it does by reflection never runs.";
}
