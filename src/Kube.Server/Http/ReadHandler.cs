using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Pipeline;
using Kube.Server.Schema;
using Kube.Server.Storage;
using Kube.Server.Tables;

namespace Kube.Server.Http;

/// <summary>GET of one object and lists: versions, pages, representations.</summary>
internal sealed class ReadHandler(ClusterApi api)
{
    private static readonly TimeSpan FreshnessWait = TimeSpan.FromSeconds(3);

    public async Task GetAsync(ApiRequest request)
    {
        if (ParseVersion(request) is { } version and > 0)
        {
            await WaitUntilAsync(version, request.Http.RequestAborted).ConfigureAwait(false);
        }
        var stored = api.Store.State.Get(request.Kind.Storage, StoredObject.KeyOf(request.Namespace, request.Name))
            ?? throw Status.NotFound(request.Kind.Resource, request.Name);
        await ObjectAsync(request, 200, Conversion.ToServed(stored.Value, request.Kind)).ConfigureAwait(false);
    }

    /// <summary>Sends an object in the representation the client asked for.</summary>
    public async Task ObjectAsync(ApiRequest request, int code, JsonObject obj)
    {
        var wanted = Wanted.From(request.Http.Request);
        Answer.Warn(request.Http, request.Warnings);
        var body = wanted.Shape switch
        {
            Shape.Table => Builder(request, wanted).One(obj, true),
            Shape.Partial => TableBuilder.Partial(obj, wanted.MetaVersion),
            _ => obj,
        };
        await SendAsync(request, code, wanted, Json.ToUtf8(body)).ConfigureAwait(false);
    }

    public async Task ListAsync(ApiRequest request)
    {
        var wanted = Wanted.From(request.Http.Request);
        var query = ObjectQuery.Create(request.Kind, request.Namespace, request.Query("labelSelector"), request.Query("fieldSelector"));
        var limit = request.Number("limit") ?? 0;
        var version = ParseVersion(request);
        var match = request.Query("resourceVersionMatch");
        var token = request.Query("continue");
        CheckMatch(request, match, version, token);
        var (table, at, start) = await SelectTableAsync(request, query, version, match, token).ConfigureAwait(false);

        var items = new List<StoredObject>();
        string? next = null;
        long remaining = 0;
        foreach (var stored in query.Select(table, start))
        {
            if (limit > 0 && items.Count >= limit)
            {
                next ??= stored.Key;
                remaining++;
                if (query.HasSelectors)
                {
                    break;
                }
                continue;
            }
            items.Add(stored);
        }
        var metadata = new JsonObject { ["resourceVersion"] = Answer.Number(at) };
        if (next is not null)
        {
            metadata["continue"] = Token(at, items[^1].Key + "\0");
            if (!query.HasSelectors)
            {
                metadata["remainingItemCount"] = remaining;
            }
        }
        Answer.Warn(request.Http, request.Warnings);
        await SendAsync(request, 200, wanted, Render(request, wanted, items, metadata)).ConfigureAwait(false);
    }

    public ReadOnlyMemory<byte> Render(ApiRequest request, Wanted wanted, List<StoredObject> items, JsonObject metadata)
    {
        var kind = request.Kind;
        if (wanted.Shape == Shape.Table)
        {
            return Json.ToUtf8(Builder(request, wanted).Build(items.Select(s => Conversion.ToServed(s.Value, kind)), metadata));
        }
        var buffer = new ArrayBufferWriter<byte>(4096);
        var partial = wanted.Shape == Shape.Partial;
        buffer.Write("{\"kind\":"u8);
        buffer.Write(JsonSerializerText(partial ? "PartialObjectMetadataList" : kind.ListKind));
        buffer.Write(",\"apiVersion\":"u8);
        buffer.Write(JsonSerializerText(partial ? "meta.k8s.io/" + wanted.MetaVersion : kind.ApiVersion));
        buffer.Write(",\"metadata\":"u8);
        Json.WriteTo(buffer, metadata);
        buffer.Write(",\"items\":["u8);
        var head = Encoding.UTF8.GetBytes($"{{\"kind\":\"{kind.Kind}\",\"apiVersion\":\"{kind.ApiVersion}\",");
        var first = true;
        foreach (var stored in items)
        {
            if (!first)
            {
                buffer.Write(","u8);
            }
            first = false;
            var served = Conversion.ToServed(stored.Value, kind);
            if (partial)
            {
                Json.WriteTo(buffer, TableBuilder.Partial(served, wanted.MetaVersion));
            }
            else if (!kind.IsCustom)
            {
                WriteUntyped(buffer, served, ReferenceEquals(served, stored.Value) ? stored.Utf8 : [], head);
            }
            else if (ReferenceEquals(served, stored.Value))
            {
                buffer.Write(stored.Utf8);
            }
            else
            {
                Json.WriteTo(buffer, served);
            }
        }
        buffer.Write("]}"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>Waits until the store has reached a version; 504 when it does not in time.</summary>
    public async Task WaitUntilAsync(long version, CancellationToken cancellationToken)
    {
        if (version <= api.Store.State.ResourceVersion)
        {
            return;
        }
        using var timeout = new CancellationTokenSource(FreshnessWait, api.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            while (api.Store.State.ResourceVersion < version)
            {
                var batch = api.Store.ReadAfter(null, api.Store.State.ResourceVersion, 1);
                if (batch.Records.Count == 0 && !batch.TooOld)
                {
                    await batch.Changed.WaitAsync(linked.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Status.TooLargeVersion(version, api.Store.State.ResourceVersion);
        }
    }

    public static long? ParseVersion(ApiRequest request)
    {
        var text = request.Query("resourceVersion");
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw Status.Invalid("meta.k8s.io", "ListOptions", "",
                [FieldError.Invalid("resourceVersion", text, "strconv.ParseUint: invalid syntax")]);
    }

    public TableBuilder Builder(ApiRequest request, Wanted wanted) =>
        new(request.Kind, wanted.MetaVersion, request.Query("includeObject") ?? "Metadata", api.Time);

    public static async Task SendAsync(ApiRequest request, int code, Wanted wanted, ReadOnlyMemory<byte> body)
    {
        if (wanted is { Yaml: true, Shape: Shape.Plain })
        {
            await Answer.BytesAsync(request.Http, code, Encoding.UTF8.GetBytes(YamlWriter.Write(Json.Parse(body.Span))),
                "application/yaml").ConfigureAwait(false);
            return;
        }
        await Answer.BytesAsync(request.Http, code, body, "application/json").ConfigureAwait(false);
    }

    // Items of lists of built-in kinds do not say what they are: the list does.
    private static void WriteUntyped(ArrayBufferWriter<byte> buffer, JsonObject served, ReadOnlySpan<byte> stored, ReadOnlySpan<byte> head)
    {
        if (stored.StartsWith(head))
        {
            buffer.Write("{"u8);
            buffer.Write(stored[head.Length..]);
            return;
        }
        var copy = Json.Clone(served);
        copy.Remove("kind");
        copy.Remove("apiVersion");
        Json.WriteTo(buffer, copy);
    }

    private static byte[] JsonSerializerText(string text) => Json.ToUtf8(JsonValue.Create(text));

    private static void CheckMatch(ApiRequest request, string? match, long? version, string? token)
    {
        if (string.IsNullOrEmpty(match))
        {
            if (!string.IsNullOrEmpty(token) && version is > 0)
            {
                throw Status.BadRequest("specifying resource version is not allowed when using continue");
            }
            return;
        }
        string? problem = match switch
        {
            _ when !string.IsNullOrEmpty(token) => "resourceVersionMatch is forbidden when continue is provided",
            _ when version is null => "resourceVersionMatch is forbidden unless resourceVersion is provided",
            "Exact" when version == 0 => "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"",
            "Exact" or "NotOlderThan" => null,
            _ => "?",
        };
        if (problem is not null)
        {
            throw Status.Invalid("meta.k8s.io", "ListOptions", "",
                [problem == "?" ? FieldError.NotSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""])
                    : FieldError.Forbidden("resourceVersionMatch", problem)]);
        }
        _ = request;
    }

    private async Task<(ImmutableSortedDictionary<string, StoredObject> Table, long Version, string? Start)> SelectTableAsync(
        ApiRequest request, ObjectQuery query, long? version, string? match, string? token)
    {
        var storage = query.Kind.Storage;
        if (!string.IsNullOrEmpty(token))
        {
            var (at, start) = ParseToken(token);
            if (at < 0)
            {
                var now = api.Store.State;
                return (now.Table(storage), now.ResourceVersion, start);
            }
            if (api.Store.TableAt(storage, at) is { } old)
            {
                return (old, at, start);
            }
            throw new ApiException(410, "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
                + "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing "
                + "with the provided token results in an inconsistent list - objects that were created, modified, or deleted between "
                + "the time the first chunk was returned and now may show up in the list.")
            {
                ListContinue = Token(-1, start),
            };
        }
        if (version is { } wanted and > 0)
        {
            await WaitUntilAsync(wanted, request.Http.RequestAborted).ConfigureAwait(false);
            if (match == "Exact")
            {
                return api.Store.TableAt(storage, wanted) is { } exact
                    ? (exact, wanted, null)
                    : throw Status.Expired($"The resourceVersion for the provided list is too old.");
            }
        }
        var state = api.Store.State;
        return (state.Table(storage), state.ResourceVersion, null);
    }

    private static string Token(long version, string start)
    {
        var json = Json.ToUtf8(new JsonObject { ["v"] = "meta.k8s.io/v1", ["rv"] = version, ["start"] = start });
        return Convert.ToBase64String(json).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    private static (long Version, string Start) ParseToken(string token)
    {
        try
        {
            var padded = token.Replace('-', '+').Replace('_', '/').TrimEnd('=');
            var json = Json.ParseObject(Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '=')));
            if (Json.Text(json, "v") == "meta.k8s.io/v1" && Json.AsLong(json["rv"]) is { } version && Json.Text(json, "start") is { } start)
            {
                return (version, start);
            }
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // Falls through: one answer for every kind of broken token.
        }
        throw Status.BadRequest("continue key is not valid");
    }
}
