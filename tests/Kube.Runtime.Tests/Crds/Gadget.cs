using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Kube.Client;
using Kube.Client.Json;
using Kube.Client.Models;
using Kube.Client.Schema;

namespace Kube.Runtime.Tests.Crds;

/// <summary>A kind with everything that the generator knows.</summary>
[Description("A gadget: it's \"quoted\", has a colon, and a # too.")]
[ResourceNames(ShortNames = ["gdg"], Categories = ["all", "test"])]
[PrinterColumn("Size", "integer", ".spec.size")]
[PrinterColumn("Age", "date", ".metadata.creationTimestamp", Priority = 1)]
[CelRule("size(self.metadata.name) <= 20", "the name is too long")]
public sealed record Gadget : IKubeResource<Gadget>
{
    public static ResourceDescriptor Descriptor { get; } = new("tests.example.com", "v1beta1", "Gadget", "gadgets");

    public static JsonTypeInfo<Gadget> JsonTypeInfo => GadgetJson.Default.Gadget;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init; } = new();

    [Required]
    public GadgetSpec Spec { get; init; } = new();

    public GadgetStatus? Status { get; init; }
}

[Description("What should be.")]
[CelRule("!has(self.port) || self.size > 0", "a port needs a size")]
public sealed record GadgetSpec
{
    [Required]
    [Range(1, 10)]
    public int Size { get; init; }

    [Range(typeof(long), "0", "9000000000")]
    public long? Bytes { get; init; }

    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double? Ratio { get; init; }

    [Description("Replaces the description of the type.")]
    [CelRule("self.name != 'bad'", "not that one")]
    public GadgetPart? Part { get; init; }

    [RegularExpression("[a-z]+")]
    [StringLength(63, MinimumLength = 1)]
    [SchemaDefault("\"yes\"")]
    public string? Name { get; init; }

    [AllowedValues("On", "Off")]
    public string? Mode { get; init; }

    public GadgetColor? Color { get; init; }

    public IntOrString? Port { get; init; }

    public DateTimeOffset? KeepUntil { get; init; }

    [MaxLength(3)]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    [MinLength(1)]
    [MaxLength(8)]
    public IReadOnlyList<string>? Args { get; init; }

    [ListMap("name")]
    public IReadOnlyList<GadgetPart>? Parts { get; init; }

    [SchemaDefault("{\"on\": true, \"list\": [1, null, \"01\"]}")]
    [PreserveUnknownFields]
    public JsonElement? Anything { get; init; }

    public bool? Enabled { get; init; }

    public byte[]? Data { get; init; }

    [JsonIgnore]
    public string Hidden { get; init; } = "not on the wire";
}

[Description("A part.")]
public sealed record GadgetPart
{
    [Required]
    [JsonPropertyName("name")]
    public string Title { get; init; } = "";
}

[JsonConverter(typeof(JsonStringEnumConverter<GadgetColor>))]
public enum GadgetColor
{
    Red,
    [JsonStringEnumMemberName("dark-green")]
    Green,
}

public sealed record GadgetStatus
{
    [ListMap("type")]
    public IReadOnlyList<Condition>? Conditions { get; init; }
}

/// <summary>A kind that contains itself.</summary>
public sealed record Recursive : IKubeResource<Recursive>
{
    public static ResourceDescriptor Descriptor { get; } = new("tests.example.com", "v1", "Recursive", "recursives", Namespaced: false);

    public static JsonTypeInfo<Recursive> JsonTypeInfo => GadgetJson.Default.Recursive;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init; } = new();

    public RecursiveNode? Spec { get; init; }
}

public sealed record RecursiveNode
{
    public IReadOnlyList<RecursiveNode>? Children { get; init; }
}

/// <summary>A kind with a field of any JSON that nobody allowed.</summary>
public sealed record AnyJson : IKubeResource<AnyJson>
{
    public static ResourceDescriptor Descriptor { get; } = new("tests.example.com", "v1", "AnyJson", "anyjsons");

    public static JsonTypeInfo<AnyJson> JsonTypeInfo => GadgetJson.Default.AnyJson;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init; } = new();

    public JsonElement? Spec { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubeTimeConverter)])]
[JsonSerializable(typeof(Gadget))]
[JsonSerializable(typeof(Recursive))]
[JsonSerializable(typeof(AnyJson))]
public sealed partial class GadgetJson : JsonSerializerContext;
