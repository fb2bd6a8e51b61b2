using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kube.Client.Models;

namespace Kube.Client.Json;

/// <summary>
/// Reads a list item by item from the stream: at no time is the whole answer in memory, only one item and the objects made so far.
/// </summary>
internal static class ListReader
{
    /// <summary>Reads the stream to its end.</summary>
    /// <exception cref="JsonException">The stream is not a list of this kind.</exception>
    public static async Task<ResourceList<T>> ReadAsync<T>(
        Stream stream, JsonTypeInfo<T> typeInfo, bool omitManagedFields, CancellationToken cancellationToken)
        where T : class, IKubeResource<T>
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        var parser = new Parser<T>(typeInfo, omitManagedFields);
        try
        {
            while (true)
            {
                var result = await pipe.ReadAsync(cancellationToken);
                var consumed = parser.Consume(result.Buffer, result.IsCompleted);
                pipe.AdvanceTo(consumed, result.Buffer.End);
                if (result.IsCompleted)
                {
                    return parser.Finish();
                }
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    private enum Place
    {
        Start,
        Top,
        Items,
        End,
    }

    private sealed class Parser<T>(JsonTypeInfo<T> typeInfo, bool omitManagedFields)
        where T : class, IKubeResource<T>
    {
        private readonly List<T> _items = [];
        private JsonReaderState _state;
        private Place _place;
        private ListMeta? _meta;
        private bool _hasItems;

        /// <summary>Takes what is complete in the buffer; returns up to where.</summary>
        public SequencePosition Consume(ReadOnlySequence<byte> buffer, bool final)
        {
            var taken = buffer.Start;
            while (Step(buffer.Slice(taken), final, out var length))
            {
                taken = buffer.GetPosition(length, taken);
            }

            return taken;
        }

        public ResourceList<T> Finish()
        {
            if (_place != Place.End)
            {
                throw new JsonException("the list is cut off");
            }

            return _hasItems ? new(_items, _meta ?? new()) : throw new JsonException("there is no field \"items\"");
        }

        // One step is a token, or a property with its whole value, or an item; a step that the buffer does not hold completely is not
        // taken.
        private bool Step(ReadOnlySequence<byte> buffer, bool final, out long length)
        {
            var reader = new Utf8JsonReader(buffer, final, _state);
            length = 0;
            if (_place == Place.End || !reader.Read() || !Take(ref reader, buffer))
            {
                return false;
            }

            _state = reader.CurrentState;
            length = reader.BytesConsumed;
            return true;
        }

        private bool Take(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
        {
            switch (_place)
            {
                case Place.Start:
                    _place =
                        reader.TokenType == JsonTokenType.StartObject ? Place.Top : throw new JsonException("a list must be a JSON object");
                    return true;
                case Place.Top when reader.TokenType == JsonTokenType.PropertyName:
                    return Property(ref reader, buffer);
                case Place.Top:
                    _place = Place.End;
                    return true;
                case Place.Items when reader.TokenType == JsonTokenType.EndArray:
                    _place = Place.Top;
                    return true;
                default:
                    return Item(ref reader, buffer);
            }
        }

        private bool Property(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
        {
            var isItems = reader.ValueTextEquals("items"u8);
            var isMeta = reader.ValueTextEquals("metadata"u8);
            if (!reader.Read())
            {
                return false;
            }

            if (isItems)
            {
                _hasItems = true;
                if (reader.TokenType == JsonTokenType.StartArray)
                {
                    _place = Place.Items;
                }
                else if (reader.TokenType != JsonTokenType.Null)
                {
                    throw new JsonException("the field \"items\" must be an array");
                }

                return true;
            }

            var start = reader.TokenStartIndex;
            if (!reader.TrySkip())
            {
                return false;
            }

            if (isMeta)
            {
                var value = buffer.Slice(start, reader.BytesConsumed - start);
                _meta = JsonSerializer.Deserialize(value.ToArray(), KubeJson.Default.ListMeta);
            }

            return true;
        }

        private bool Item(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
        {
            var start = reader.TokenStartIndex;
            if (!reader.TrySkip())
            {
                return false;
            }

            var value = buffer.Slice(start, reader.BytesConsumed - start);
            if (value.IsSingleSegment)
            {
                _items.Add(Read(value.FirstSpan));
                return true;
            }

            var rented = ArrayPool<byte>.Shared.Rent((int)value.Length);
            try
            {
                value.CopyTo(rented);
                _items.Add(Read(rented.AsSpan(0, (int)value.Length)));
                return true;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }

        private T Read(ReadOnlySpan<byte> item) =>
            omitManagedFields ? ManagedFieldsCut.Read(item, typeInfo) : ObjectReading.Read(item, typeInfo);
    }
}
