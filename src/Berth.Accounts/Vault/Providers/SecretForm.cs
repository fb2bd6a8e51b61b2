using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>A form body in a buffer that is zeroed, for requests that carry tokens.</summary>
internal sealed class SecretForm : IDisposable
{
    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(1024, pinned: true);
    private int _length;

    public SecretForm Add(string name, string value) => Add(name, Encoding.UTF8.GetBytes(value));

    public SecretForm Add(string name, ReadOnlySpan<byte> value)
    {
        if (_length > 0)
        {
            Put((byte)'&');
        }

        foreach (var c in name)
        {
            Put((byte)c);
        }

        Put((byte)'=');
        foreach (var b in value)
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~')
            {
                Put(b);
            }
            else
            {
                Put((byte)'%');
                Put((byte)"0123456789ABCDEF"[b >> 4]);
                Put((byte)"0123456789ABCDEF"[b & 15]);
            }
        }

        return this;
    }

    public HttpContent ToContent()
    {
        var content = new ByteArrayContent(_bytes, 0, _length);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded");
        return content;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    private void Put(byte value)
    {
        if (_length == _bytes.Length)
        {
            var larger = GC.AllocateUninitializedArray<byte>(_bytes.Length * 2, pinned: true);
            _bytes.CopyTo(larger, 0);
            CryptographicOperations.ZeroMemory(_bytes);
            _bytes = larger;
        }

        _bytes[_length++] = value;
    }
}
