namespace Berth.Local.Kubernetes;

/// <summary>The catalogue that tells the process runner what to start for an image.</summary>
internal static class ImageCatalogue
{
    /// <summary>Image of the template <c>studio</c>.</summary>
    public const string StudioImage = "berth-studio:dev";

    /// <summary>Image of Jobs that make and restore backups.</summary>
    public const string OperatorImage = "berth-operator:dev";

    private const string Begin = "# Studio and backups, as this build of Berth has them; written anew at each start.";

    /// <summary>The line below which a person's own images stand.</summary>
    public const string OwnImages = "# Your own images:";

    /// <summary>Whether <see cref="Write"/> keeps what a person wrote: not when the line that it stands below is gone.</summary>
    public static bool CanBeKept(string? existing) =>
        string.IsNullOrWhiteSpace(existing) || existing.Contains(OwnImages, StringComparison.Ordinal);

    /// <summary>Writes the entries of Studio and of the operator and leaves what a person added below it.</summary>
    /// <param name="existing">The file as it is, or null.</param>
    /// <param name="studioAssembly">Path of Studio's assembly.</param>
    /// <param name="operatorAssembly">Path of the operator's assembly, for its archive command.</param>
    /// <param name="dotnet">Path of the program that runs them.</param>
    public static string Write(string? existing, string studioAssembly, string operatorAssembly, string dotnet)
    {
        var own = existing?.IndexOf(OwnImages, StringComparison.Ordinal) is >= 0 and var at
            ? existing[(at + OwnImages.Length)..].TrimStart('\r', '\n')
            : "";
        return $"""
                # What the process runner starts for an image, instead of a container. Read again when it changes.
                {Begin}
                {StudioImage}:
                  command: [{Quote(dotnet)}, {Quote(studioAssembly)}]
                  env:
                    STUDIO_ADDRESS: 127.0.0.1
                    DOTNET_TieredPGO: "0"
                {OperatorImage}:
                  command: [{Quote(dotnet)}, {Quote(operatorAssembly)}]
                  env:
                    DOTNET_TieredPGO: "0"
                {OwnImages}
                {own}
                """.TrimEnd() + "\n";
    }

    // YAML's double quotes take JSON's escapes.
    private static string Quote(string text) =>
        $"\"{System.Text.Json.JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
