using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Berth.Edge;

/// <summary>Source-generated JSON of the API: camelCase, nulls left out, unknown and doubled fields in requests refused.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(CreateWorkspace))]
[JsonSerializable(typeof(HoldWish))]
[JsonSerializable(typeof(WorkspaceView))]
[JsonSerializable(typeof(WorkspaceListView))]
[JsonSerializable(typeof(EventListView))]
[JsonSerializable(typeof(TemplateListView))]
[JsonSerializable(typeof(PersonView))]
[JsonSerializable(typeof(ProblemView))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(PreferencesBody))]
[JsonSerializable(typeof(PreferencesView))]
[JsonSerializable(typeof(DatumListView))]
[JsonSerializable(typeof(HistoryView))]
[JsonSerializable(typeof(UsageView))]
[JsonSerializable(typeof(SessionListView))]
[JsonSerializable(typeof(AuditVerificationView))]
[JsonSerializable(typeof(RequestView))]
[JsonSerializable(typeof(PersonKeyBody))]
[JsonSerializable(typeof(AccountView))]
[JsonSerializable(typeof(AccountListView))]
[JsonSerializable(typeof(CreateToken))]
[JsonSerializable(typeof(TokenListView))]
[JsonSerializable(typeof(CreatedTokenView))]
internal sealed partial class EdgeJson : JsonSerializerContext;
