using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Berth.Operator;

/// <summary>Collects chosen meters and writes them as Prometheus text (exposition format 0.0.4).</summary>
internal sealed class PrometheusExporter : IDisposable
{
    /// <summary>Media type of the text.</summary>
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly double[] DefaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, Family> _families = new(StringComparer.Ordinal);

    internal PrometheusExporter(params string[] meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Contains(instrument.Meter.Name))
            {
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(NameOf(instrument), static (_, i) =>
                    new Family(i), instrument));
            }
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((Family)state!).Record(value, tags));
        _listener.Start();
    }

    internal string Write()
    {
        foreach (var family in _families.Values)
        {
            family.BeginObservation();
        }

        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var (name, family) in _families.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            family.Write(text, name);
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    // OpenTelemetry names have dots; Prometheus' names have not.
    private static string NameOf(Instrument instrument) =>
        string.Concat(instrument.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or ':' ? c : '_'));

    private sealed class Family(Instrument instrument)
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, Series> _series = new(StringComparer.Ordinal);
        private readonly string _type = TypeOf(instrument);
        private readonly double[] _buckets =
            instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { Count: > 0 } given } ? [.. given] : DefaultBuckets;

        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var labels = LabelsOf(tags);
            lock (_gate)
            {
                if (!_series.TryGetValue(labels, out var series))
                {
                    _series[labels] = series = new Series(_type == "histogram" ? new long[_buckets.Length] : null);
                }

                if (series.Buckets is { } buckets)
                {
                    series.Sum += value;
                    series.Count++;
                    for (var i = 0; i < buckets.Length; i++)
                    {
                        buckets[i] += value <= _buckets[i] ? 1 : 0;
                    }
                }
                else
                {
                    series.Sum = instrument.IsObservable || _type == "gauge"
                        && instrument is not (UpDownCounter<int> or UpDownCounter<long>)
                        ? value
                        : series.Sum + value;
                }
            }
        }

        /// <summary>What an observable instrument reported last time and does not report now is gone.</summary>
        public void BeginObservation()
        {
            if (instrument.IsObservable)
            {
                lock (_gate)
                {
                    _series.Clear();
                }
            }
        }

        public void Write(StringBuilder text, string name)
        {
            lock (_gate)
            {
                if (_series.Count == 0)
                {
                    return;
                }

                text.Append(CultureInfo.InvariantCulture,
                    $"# HELP {name} {Escape(instrument.Description ?? name, quote: false)}\n# TYPE {name} {_type}\n");
                foreach (var (labels, series) in _series.OrderBy(s => s.Key, StringComparer.Ordinal))
                {
                    if (series.Buckets is not { } buckets)
                    {
                        Line(text, name, labels, series.Sum);
                        continue;
                    }

                    var prefix = labels.Length == 0 ? "" : labels + ",";
                    for (var i = 0; i < buckets.Length; i++)
                    {
                        Line(text, name + "_bucket", $"{prefix}le=\"{_buckets[i].ToString(CultureInfo.InvariantCulture)}\"", buckets[i]);
                    }

                    Line(text, name + "_bucket", $"{prefix}le=\"+Inf\"", series.Count);
                    Line(text, name + "_sum", labels, series.Sum);
                    Line(text, name + "_count", labels, series.Count);
                }
            }
        }

        private static string TypeOf(Instrument instrument) => instrument switch
        {
            Histogram<double> or Histogram<long> or Histogram<int> => "histogram",
            Counter<long> or Counter<int> or Counter<double>
                or ObservableCounter<long> or ObservableCounter<int> or ObservableCounter<double> => "counter",
            _ => "gauge",
        };

        private static void Line(StringBuilder text, string name, string labels, double value) =>
            text.Append(name)
                .Append(labels.Length == 0 ? "" : $"{{{labels}}}")
                .Append(' ')
                .Append(value.ToString(CultureInfo.InvariantCulture))
                .Append('\n');

        private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.Length == 0)
            {
                return "";
            }

            var labels = new StringBuilder();
            foreach (var (key, value) in tags)
            {
                labels.Append(labels.Length == 0 ? "" : ",")
                    .Append(key.Replace('.', '_'))
                    .Append("=\"")
                    .Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quote: true))
                    .Append('"');
            }

            return labels.ToString();
        }

        private static string Escape(string text, bool quote)
        {
            var escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            return quote ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
        }
    }

    private sealed class Series(long[]? buckets)
    {
        public long[]? Buckets { get; } = buckets;

        public double Sum { get; set; }

        public long Count { get; set; }
    }
}
