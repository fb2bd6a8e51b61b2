using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Kube.Server.Pipeline;
using Kube.Server.Schema;
using Kube.Server.Storage;
using Kube.Server.Tables;

namespace Kube.Server.Http;

/// <summary>
/// A watch:
/// <code>
///   headers at once -> [initial objects, bookmark with initial-events-end] -> { changes, flushed together | bookmark | deadline }
/// </code>
/// The watch holds a version, not a queue; a client that reads too slowly falls out of the history and gets 410 as its last event.
/// </summary>
internal sealed class WatchHandler(ClusterApi api, ReadHandler reads, TimeSpan bookmarkInterval, CancellationToken stopping)
{
    public async Task WatchAsync(ApiRequest request)
    {
        var wanted = Wanted.From(request.Http.Request);
        var fields = request.Query("fieldSelector");
        if (request.Name.Length > 0)
        {
            fields = $"metadata.name={request.Name}" + (string.IsNullOrEmpty(fields) ? "" : "," + fields);
        }
        var query = ObjectQuery.Create(request.Kind, request.Namespace, request.Query("labelSelector"), fields);
        var version = ReadHandler.ParseVersion(request);
        var sendInitial = Initial(request, version);
        var bookmarks = request.Flag("allowWatchBookmarks");
        if (version is { } future and > 0)
        {
            await reads.WaitUntilAsync(future, request.Http.RequestAborted).ConfigureAwait(false);
        }
        var seconds = request.Number("timeoutSeconds") is { } asked and > 0 ? asked : RandomNumberGenerator.GetInt32(1800, 3600);
        var deadline = api.Time.GetUtcNow().AddSeconds(Math.Min(seconds, 86_400));

        var response = request.Http.Response;
        response.StatusCode = 200;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-cache, private";
        Answer.Warn(request.Http, request.Warnings);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(request.Http.RequestAborted, stopping);
        try
        {
            await response.StartAsync(ended.Token).ConfigureAwait(false);
            await response.BodyWriter.FlushAsync(ended.Token).ConfigureAwait(false);
            var frames = new Frames(request, wanted, reads.Builder(request, wanted), response.BodyWriter);
            await RunAsync(frames, query, version, sendInitial, bookmarks, deadline, ended.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the server stops: a clean end of the stream either way.
        }
    }

    private static bool? Initial(ApiRequest request, long? version)
    {
        var match = request.Query("resourceVersionMatch");
        var send = request.Query("sendInitialEvents");
        FieldError? error = null;
        if (string.IsNullOrEmpty(send))
        {
            if (!string.IsNullOrEmpty(match))
            {
                error = FieldError.Forbidden("resourceVersionMatch",
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            }
        }
        else if (match != "NotOlderThan")
        {
            error = string.IsNullOrEmpty(match)
                ? FieldError.Forbidden("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
                : FieldError.NotSupported("resourceVersionMatch", match, ["NotOlderThan"]);
        }
        if (error is not null)
        {
            throw Status.Invalid("meta.k8s.io", "ListOptions", "", [error]);
        }
        // Without the parameter, "any version" and "newest" begin with the objects that are there; a version begins after itself.
        return string.IsNullOrEmpty(send) ? version is null or 0 ? true : null : request.Flag("sendInitialEvents") ? true
            : version is null or 0 ? false : null;
    }

    private async Task RunAsync(Frames frames, ObjectQuery query, long? from, bool? sendInitial, bool bookmarks, DateTimeOffset deadline,
        CancellationToken cancellationToken)
    {
        var version = from ?? 0;
        if (sendInitial is not null)
        {
            var state = api.Store.State;
            version = state.ResourceVersion;
            if (sendInitial == true)
            {
                var pending = 0;
                foreach (var stored in query.Select(state.Table(query.Kind.Storage)))
                {
                    frames.Object("ADDED", stored.Value);
                    if (++pending % 256 == 0)
                    {
                        await frames.FlushAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
                if (frames.WantsInitialEnd && bookmarks)
                {
                    frames.Bookmark(version, initialEnd: true);
                }
                await frames.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        var nextBookmark = api.Time.GetUtcNow() + bookmarkInterval;
        while (true)
        {
            var batch = api.Store.ReadAfter(query.Kind.Storage, version);
            if (batch.TooOld)
            {
                frames.Error(Status.Expired($"too old resource version: {version} ({batch.Floor})"));
                await frames.FlushAsync(cancellationToken).ConfigureAwait(false);
                return;
            }
            foreach (var change in batch.Records)
            {
                if (query.Translate(change) is { } seen)
                {
                    frames.Object(seen.Type.ToString().ToUpperInvariant(), seen.Value);
                }
            }
            version = batch.UpTo;
            var now = api.Time.GetUtcNow();
            if (bookmarks && now >= nextBookmark)
            {
                frames.Bookmark(version, initialEnd: false);
                nextBookmark = now + bookmarkInterval;
            }
            await frames.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (now >= deadline)
            {
                return;
            }
            if (batch.Records.Count > 0)
            {
                continue;
            }
            var early = deadline - TimeSpan.FromSeconds(2);
            if (bookmarks && early > now && early < nextBookmark)
            {
                nextBookmark = early;
            }
            var due = bookmarks && nextBookmark < deadline ? nextBookmark : deadline;
            await WaitAsync(batch.Changed, due - now, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(Task changed, TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await changed.WaitAsync(atMost > TimeSpan.Zero ? atMost : TimeSpan.Zero, api.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Time for a bookmark or for the end.
        }
    }

    /// <summary>Writes events, one JSON object a line, buffered until flushed.</summary>
    private sealed class Frames(ApiRequest request, Wanted wanted, TableBuilder tables, System.IO.Pipelines.PipeWriter output)
    {
        private bool _columnsSent;
        private bool _dirty;

        public bool WantsInitialEnd { get; } = request.Query("sendInitialEvents") is { Length: > 0 };

        public void Object(string type, JsonObject stored)
        {
            var served = Conversion.ToServed(stored, request.Kind);
            JsonNode body = served;
            if (wanted.Shape == Shape.Table)
            {
                body = tables.One(served, !_columnsSent);
                _columnsSent = true;
            }
            else if (wanted.Shape == Shape.Partial)
            {
                body = TableBuilder.Partial(served, wanted.MetaVersion);
            }
            Write(type, body);
        }

        public void Bookmark(long version, bool initialEnd)
        {
            var metadata = new JsonObject { ["resourceVersion"] = Answer.Number(version), ["creationTimestamp"] = null };
            if (initialEnd)
            {
                metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
            }
            var obj = new JsonObject { ["kind"] = request.Kind.Kind, ["apiVersion"] = request.Kind.ApiVersion, ["metadata"] = metadata };
            JsonNode body = wanted.Shape switch
            {
                Shape.Table => tables.Build([],
                    new JsonObject { ["resourceVersion"] = Answer.Number(version), ["annotations"] = metadata["annotations"]?.DeepClone() },
                    false),
                Shape.Partial => TableBuilder.Partial(obj, wanted.MetaVersion),
                _ => obj,
            };
            Write("BOOKMARK", body);
        }

        public void Error(ApiException e) => Write("ERROR", Status.Failure(e));

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            if (_dirty)
            {
                _dirty = false;
                await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        private void Write(string type, JsonNode body)
        {
            _dirty = true;
            output.Write("{\"type\":\""u8);
            output.Write(System.Text.Encoding.ASCII.GetBytes(type));
            output.Write("\",\"object\":"u8);
            Json.WriteTo(output, body);
            output.Write("}\n"u8);
        }
    }
}
