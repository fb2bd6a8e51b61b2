using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Kube.Runtime;

/// <summary>
/// Listens to meters of this process and writes what they say in the Prometheus text format (version 0.0.4). Names and units follow
/// OpenTelemetry's rules for Prometheus: dots become underscores, units are spelled out, counters end in <c>_total</c>.
/// </summary>
/// <remarks>A small writer of our own because the OpenTelemetry exporter for Prometheus has no stable release; thread-safe.</remarks>
public sealed class PrometheusCollector : IDisposable
{
    /// <summary>Media type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    // Past this an instrument has a label that should not be one (a path, an id): it keeps what it has and counts the rest under
    // overflow="true".
    private const int MaximumSeries = 2000;

    // For durations in seconds, as OpenTelemetry advises for HTTP; others bring their own by advice.
    private static readonly double[] DefaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, Family> _families = new();

    /// <summary>Begins to listen: made at start, it sees every measurement.</summary>
    /// <param name="meters">Beginnings of the names of the meters to collect, such as <c>Kube.</c>.</param>
    public PrometheusCollector(params IReadOnlyList<string> meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Any(p => instrument.Meter.Name.StartsWith(p, StringComparison.Ordinal)))
            {
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, static i => new Family(i)));
            }
        };
        _listener.MeasurementsCompleted = (instrument, _) => _families.TryRemove(instrument, out Family? _);
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => ((Family)state!).Record((double)value, tags));
        _listener.Start();
    }

    /// <summary>Reads the observable instruments and writes everything.</summary>
    public string Collect()
    {
        foreach (var family in _families.Values)
        {
            family.BeginCollect();
        }

        _listener.RecordObservableInstruments();
        var text = new StringBuilder(16 * 1024);

        // Two meters may have an instrument of one name (an informer for each kind): one family in the text.
        foreach (var same in _families.Values.GroupBy(f => f.Name, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            same.First().WriteHead(text);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var family in same)
            {
                family.WriteSeries(text, seen);
            }
        }

        return text.ToString();
    }

    /// <summary>Stops listening.</summary>
    public void Dispose() => _listener.Dispose();

    private enum Shape
    {
        Counter,
        Gauge,
        Histogram,
    }

    private sealed class Family
    {
        private readonly SeriesTable<Series> _series;
        private readonly Instrument _instrument;
        private readonly Shape _shape;
        private readonly bool _isObservable;
        private readonly bool _isSum;
        private readonly double[] _buckets;

        public Family(Instrument instrument)
        {
            _instrument = instrument;
            var kind = instrument.GetType().Name;
            _isObservable = instrument.IsObservable;
            _shape =
                kind.StartsWith("Histogram", StringComparison.Ordinal) ? Shape.Histogram
                : kind.StartsWith("Counter", StringComparison.Ordinal) || kind.StartsWith("ObservableCounter", StringComparison.Ordinal)
                    ? Shape.Counter
                : Shape.Gauge;
            _isSum = kind.StartsWith("Counter", StringComparison.Ordinal) || kind.StartsWith("UpDownCounter", StringComparison.Ordinal);
            _buckets =
                (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray()
                ?? (instrument as Histogram<long>)?.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray()
                ?? (instrument as Histogram<int>)?.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray()
                ?? DefaultBuckets;
            Name = NameOf(instrument, _shape);
            _series = new SeriesTable<Series>(Labels, () => new Series(_shape == Shape.Histogram ? _buckets.Length + 1 : 0), MaximumSeries);
        }

        public string Name { get; }

        public void BeginCollect()
        {
            // Observables report what is there now; what is gone must not linger.
            if (_isObservable)
            {
                _series.Clear();
            }
        }

        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var series = _series.Of(tags);
            lock (series)
            {
                if (_shape == Shape.Histogram)
                {
                    var index = Array.BinarySearch(_buckets, value);
                    series.Buckets[index < 0 ? ~index : index]++;
                    series.Count++;
                    series.Value += value;
                }
                else
                {
                    series.Value = _isSum ? series.Value + value : value;
                }
            }
        }

        public void WriteHead(StringBuilder text)
        {
            if (!string.IsNullOrEmpty(_instrument.Description))
            {
                text.Append("# HELP ")
                    .Append(Name)
                    .Append(' ')
                    .Append(_instrument.Description.Replace("\\", "\\\\", StringComparison.Ordinal).ReplaceLineEndings(" "))
                    .Append('\n');
            }

            text.Append("# TYPE ")
                .Append(Name)
                .Append(' ')
                .Append(
                    _shape switch
                    {
                        Shape.Counter => "counter",
                        Shape.Histogram => "histogram",
                        _ => "gauge",
                    }
                )
                .Append('\n');
        }

        public void WriteSeries(StringBuilder text, HashSet<string> seen)
        {
            foreach (var (labels, series) in _series.All.OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                if (!seen.Add(labels))
                {
                    continue;
                }

                lock (series)
                {
                    if (_shape == Shape.Histogram)
                    {
                        WriteHistogram(text, labels, series);
                    }
                    else
                    {
                        Line(text, Name, labels, series.Value);
                    }
                }
            }
        }

        private static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
            {
                text.Append('{').Append(labels).Append('}');
            }

            text.Append(' ').Append(Number(value)).Append('\n');
        }

        private static string Number(double value) =>
            double.IsPositiveInfinity(value) ? "+Inf"
            : double.IsNegativeInfinity(value) ? "-Inf"
            : value.ToString("R", CultureInfo.InvariantCulture);

        private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.IsEmpty)
            {
                return "";
            }

            var pairs = new List<string>(tags.Length);
            foreach (var (name, value) in tags)
            {
                if (value is not null)
                {
                    var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
                    pairs.Add($"{Safe(name)}=\"{Escape(text)}\"");
                }
            }

            pairs.Sort(StringComparer.Ordinal);
            return string.Join(',', pairs);
        }

        private static string Escape(string text) =>
            text.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);

        private static string Safe(string name)
        {
            var safe = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);
            return safe.Length == 0 || char.IsAsciiDigit(safe[0]) ? "_" + safe : safe;
        }

        private static string NameOf(Instrument instrument, Shape shape)
        {
            var name = Safe(instrument.Name);
            var unit = instrument.Unit switch
            {
                "s" => "seconds",
                "ms" => "milliseconds",
                "By" => "bytes",
                _ => null,
            };
            if (unit is not null && !name.EndsWith(unit, StringComparison.Ordinal))
            {
                name = $"{name}_{unit}";
            }

            return shape == Shape.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
        }

        private void WriteHistogram(StringBuilder text, string labels, Series series)
        {
            var comma = labels.Length > 0 ? "," : "";
            long below = 0;
            for (var i = 0; i <= _buckets.Length; i++)
            {
                below += series.Buckets[i];
                var limit = i < _buckets.Length ? Number(_buckets[i]) : "+Inf";
                Line(text, Name + "_bucket", $"{labels}{comma}le=\"{limit}\"", below);
            }

            Line(text, Name + "_sum", labels, series.Value);
            Line(text, Name + "_count", labels, series.Count);
        }
    }

    private sealed class Series(int buckets)
    {
        public double Value { get; set; }

        public long Count { get; set; }

        public long[] Buckets { get; } = new long[buckets];
    }
}
