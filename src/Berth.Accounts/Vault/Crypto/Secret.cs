using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>
/// Bytes that are nobody's business: zeroed when disposed, pinned so that the garbage collector leaves no copies, without a text form.
/// </summary>
internal sealed class Secret : IDisposable
{
    private readonly byte[] _bytes;

    public Secret(int length) => _bytes = length == 0 ? [] : GC.AllocateUninitializedArray<byte>(length, pinned: true);

    public Secret(ReadOnlySpan<byte> bytes)
        : this(bytes.Length) => bytes.CopyTo(_bytes);

    /// <summary>Nothing; disposing it does nothing either.</summary>
    public static Secret Empty { get; } = new(0);

    public int Length => _bytes.Length;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public Span<byte> Writable => _bytes;

    public static Secret FromText(string text)
    {
        var secret = new Secret(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, secret.Writable);
        return secret;
    }

    /// <summary>The text, for where only a string will do: a header. A string cannot be zeroed.</summary>
    public string Reveal() => Encoding.UTF8.GetString(_bytes);

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    public override string ToString() => "(secret)";
}
