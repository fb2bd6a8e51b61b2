using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>
/// Computes and checks the chain. The database computes it when it writes (migration 0002, <c>berth.audit_hash</c>); this is the second
/// opinion.
/// </summary>
/// <remarks>
/// hash = SHA-256(previous hash ‖ fields), fields joined by commas, each as its length in bytes of UTF-8, a colon and its text, or as a
/// dash when it is null: sequence, id, time (UTC, microseconds), issuer, subject, action, object, outcome, request id.
/// </remarks>
internal sealed class AuditChain
{
    private static readonly byte[] Zeros = new byte[32];
    private AuditAnchor? _anchor;
    private long _sequence;
    private byte[] _hash = Zeros;
    private long _events;
    private long? _brokenAt;
    private string? _reason;

    /// <summary>Begins at a checkpoint (the last event that was removed), or at the very first event.</summary>
    public AuditChain(AuditAnchor? checkpoint, AuditAnchor? anchor)
    {
        if (checkpoint is { } from)
        {
            _sequence = from.Sequence;
            _hash = Convert.FromHexString(from.Hash);
        }

        // What was removed for its age cannot be compared any more.
        _anchor = anchor is { } a && a.Sequence < _sequence ? null : anchor;
        CheckAnchor();
    }

    /// <summary>Whether nothing is wrong so far.</summary>
    public bool IsWhole => _brokenAt is null;

    /// <summary>The hash of an event at a place.</summary>
    public static byte[] Hash(ReadOnlySpan<byte> previous, long sequence, AuditEvent e)
    {
        var text = new StringBuilder();
        string?[] fields =
        [
            sequence.ToString(CultureInfo.InvariantCulture), e.Id.ToString(), Time(e.At), e.Actor?.Issuer, e.Actor?.Subject, e.Action,
            e.Target, e.Outcome, e.RequestId,
        ];
        foreach (var field in fields)
        {
            _ = field is null ? text.Append('-')
                : text.Append(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(field)}:").Append(field);
            text.Append(',');
        }

        text.Length--;
        return SHA256.HashData([.. previous, .. Encoding.UTF8.GetBytes(text.ToString())]);
    }

    /// <summary>Takes the next event of the chain.</summary>
    public void Add(AuditEntry entry)
    {
        if (!IsWhole)
        {
            return;
        }

        if (entry.Sequence != _sequence + 1)
        {
            Break(_sequence + 1, _sequence == 0
                ? $"the log begins at event {entry.Sequence} and no checkpoint accounts for those before it"
                : $"it is missing: event {_sequence} is followed by {entry.Sequence}");
        }
        else if (!entry.Previous.Span.SequenceEqual(_hash))
        {
            Break(entry.Sequence, "it does not follow the event before it: its link is another hash");
        }
        else if (!entry.Hash.Span.SequenceEqual(Hash(_hash, entry.Sequence, entry.Event)))
        {
            Break(entry.Sequence, "its contents are not those that were hashed when it was written");
        }
        else
        {
            (_sequence, _hash) = (entry.Sequence, entry.Hash.ToArray());
            _events++;
            CheckAnchor();
        }
    }

    /// <summary>What was found.</summary>
    public AuditVerification Finish()
    {
        if (IsWhole && _anchor is { } anchor)
        {
            Break(_sequence + 1, $"the log ends at event {_sequence}, and event {anchor.Sequence} has been noted");
        }

        return new AuditVerification(_events, new AuditAnchor(_sequence, Convert.ToHexStringLower(_hash)), _brokenAt, _reason);
    }

    private static string Time(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private void CheckAnchor()
    {
        if (_anchor is { } anchor && anchor.Sequence == _sequence)
        {
            _anchor = null;
            if (!string.Equals(anchor.Hash, Convert.ToHexStringLower(_hash), StringComparison.OrdinalIgnoreCase))
            {
                Break(_sequence, "its hash is not the one that was noted: the log has been written anew");
            }
        }
    }

    private void Break(long sequence, string reason) => (_brokenAt, _reason) = (sequence, reason);
}
