using System.Text.Json.Serialization;
using Berth.Studio.Files;
using Berth.Studio.Terminals;

namespace Berth.Studio.Hosting;

/// <summary>Everything that goes over the wire as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(WhoAmI))]
[JsonSerializable(typeof(FolderListing))]
[JsonSerializable(typeof(FileEntry))]
[JsonSerializable(typeof(RenameRequest))]
[JsonSerializable(typeof(TerminalEvent))]
[JsonSerializable(typeof(TerminalCommand))]
internal sealed partial class StudioJson : JsonSerializerContext;
