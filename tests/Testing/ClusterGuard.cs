using System.Globalization;
using System.Text.Json;

namespace Testing;

/// <summary>Keeps tests from ending a cluster that others use.</summary>
public static class ClusterGuard
{
    /// <summary>
    /// Why custom resources must not be written to this server, or null where they may be. Kubernetes before 1.24 vendors a reflect2 that crashes under
    /// Go 1.18 and later (github.com/modern-go/reflect2, mended in 1.0.2): the first custom resource ends the whole API server, and what is stored ends
    /// it again after each start. BERTH_TEST_CUSTOM_RESOURCES=yes says that the build is a patched one.
    /// </summary>
    /// <param name="version">What the server answered to GET /version.</param>
    public static string? NoCustomResources(ReadOnlySpan<byte> version) =>
        NoCustomResources(version, Environment.GetEnvironmentVariable("BERTH_TEST_CUSTOM_RESOURCES") == "yes");

    /// <summary>The same, told whether the build is a patched one.</summary>
    public static string? NoCustomResources(ReadOnlySpan<byte> version, bool patched)
    {
        var reader = new Utf8JsonReader(version);
        using var document = JsonDocument.ParseValue(ref reader);
        var minor = Number(Text(document.RootElement, "minor").TrimEnd('+'));
        var go = Text(document.RootElement, "goVersion");
        var built = go.Split('.') is [_, var number, ..] ? Number(number) : 0;
        return !patched && minor is > 0 and < 24 && built >= 18
            ? $"Kubernetes 1.{minor} built with {go} crashes at the first custom resource (BERTH_TEST_CUSTOM_RESOURCES=yes for a patched build)."
            : null;
    }

    private static string Text(JsonElement version, string name) =>
        version.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static int Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
