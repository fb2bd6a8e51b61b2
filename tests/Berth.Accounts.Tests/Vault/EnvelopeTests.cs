using System.Text;

namespace Berth.Accounts.Tests.Vault;

public class EnvelopeTests
{
    private static readonly RecordContext Context = new(
        Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), new PersonKey("https://login.example", "ann"), "https://idp.example", "berth",
        SealedKind.Refresh, 7);

    private static readonly byte[] Plain = Encoding.UTF8.GetBytes("a refresh token é");

    [Fact]
    public void Seal_KnownKeyAndNonces_KnownAnswer()
    {
        // Made by another implementation (Node's OpenSSL) from the layout in the remarks of Envelope.
        const string Expected =
            "0101036b2d31404142434445464748494a4bc2988c000219a124e5ed3d1db7493d7449f7606f830039144f7e74deab2ed3e4a73e9761da34fb5297f016"
            + "8e026d22614c4d4e4f5051525354555657acf739a469edfa7e21fb389ebb97fd4b3abdbc70dd6f0852eedfd1ecdb393b0daece";
        using var key = new VaultKey("k-1", VaultKeyState.Active, Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());

        var record = Envelope.Seal(Plain, key, Context, Enumerable.Range(32, 56).Select(i => (byte)i).ToArray());

        Assert.Equal(Expected, Convert.ToHexStringLower(record));
    }

    [Fact]
    public void Fingerprint_KnownKey_KnownAnswer()
    {
        using var key = new VaultKey("f", VaultKeyState.Active, Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());

        Assert.Equal(
            "1eeb0914e8e5876526518cb8b6b02b9a468d1e00d5a2d44580ae3a121f761096",
            Convert.ToHexStringLower(Fingerprints.Of(key, "https://idp.example", "berth", Plain)));
    }

    [Fact]
    public void Fingerprint_OtherIssuerClientOrKey_Differs()
    {
        using var key = TestKeys.Key("f1");
        using var other = TestKeys.Key("f2");
        byte[][] prints =
        [
            Fingerprints.Of(key, "a", "bc", Plain), Fingerprints.Of(key, "ab", "c", Plain), Fingerprints.Of(key, "a", "b", Plain),
            Fingerprints.Of(other, "a", "bc", Plain), Fingerprints.Of(key, "a", "bc", Plain.AsSpan(1)),
        ];

        Assert.Equal(prints.Length, prints.Select(Convert.ToHexString).Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1600)]
    [InlineData(Envelope.MaximumPlaintext)]
    public void TryOpen_WhatWasSealed_IsThePlaintext(int length)
    {
        using var keys = TestKeys.Ring();
        var plain = new byte[length];
        Random.Shared.NextBytes(plain);

        var record = Envelope.Seal(plain, keys.Active, Context);

        Assert.Equal(EnvelopeError.None, Envelope.TryOpen(record, keys, Context, out var opened));
        Assert.Equal(plain, opened.Bytes.ToArray());
        Assert.Equal("a", Envelope.KeyIdOf(record));
    }

    [Fact]
    public void Seal_TooLong_Throws()
    {
        using var keys = TestKeys.Ring();

        Assert.Throws<ArgumentOutOfRangeException>(() => Envelope.Seal(new byte[Envelope.MaximumPlaintext + 1], keys.Active, Context));
    }

    [Fact]
    public void Seal_Twice_SharesNoRandomBytes()
    {
        using var keys = TestKeys.Ring();
        var one = Envelope.Seal(Plain, keys.Active, Context);
        var two = Envelope.Seal(Plain, keys.Active, Context);

        // Nonce of the wrapping, wrapped key, nonce of the body.
        foreach (var (start, length) in ((int, int)[])[(4, 12), (16, 32), (64, 12)])
        {
            Assert.NotEqual(one[start..(start + length)], two[start..(start + length)]);
        }
    }

    [Fact]
    public void TryOpen_EachBitOfEachByteFlipped_DoesNotOpen()
    {
        using var keys = TestKeys.Ring();
        var record = Envelope.Seal(Plain, keys.Active, Context);
        for (var i = 0; i < record.Length * 8; i++)
        {
            var changed = record.ToArray();
            changed[i / 8] ^= (byte)(1 << (i % 8));

            Assert.NotEqual(EnvelopeError.None, Envelope.TryOpen(changed, keys, Context, out var opened));
            Assert.Equal(0, opened.Length);
        }
    }

    [Fact]
    public void TryOpen_CutOrPadded_DoesNotOpen()
    {
        using var keys = TestKeys.Ring();
        var record = Envelope.Seal(Plain, keys.Active, Context);
        for (var length = 0; length < record.Length; length++)
        {
            Assert.NotEqual(EnvelopeError.None, Envelope.TryOpen(record.AsSpan(0, length), keys, Context, out _));
        }

        Assert.NotEqual(EnvelopeError.None, Envelope.TryOpen([.. record, 0], keys, Context, out _));
    }

    [Fact]
    public void TryOpen_EveryOtherContext_IsTampered()
    {
        using var keys = TestKeys.Ring();
        var record = Envelope.Seal(Plain, keys.Active, Context);
        RecordContext[] others =
        [
            Context with { RecordId = Guid.NewGuid() },
            Context with { Owner = Context.Owner with { Subject = "bob" } },
            Context with { Owner = new PersonKey("https://other.example", "ann") },
            Context with { Issuer = "https://idp.example/" },
            Context with { ClientId = "bert" },
            Context with { TokenType = SealedKind.Access },
            Context with { Version = 6 },
            Context with { Version = 8 },

            // The same letters, cut elsewhere: lengths keep fields apart.
            Context with { Issuer = "https://idp.exampleb", ClientId = "erth" },
        ];

        Assert.All(others, o => Assert.Equal(EnvelopeError.Tampered, Envelope.TryOpen(record, keys, o, out _)));
    }

    [Fact]
    public void TryOpen_PartsOfTwoRecordsMixed_IsTampered()
    {
        using var keys = TestKeys.Ring();
        var one = Envelope.Seal(Plain, keys.Active, Context);
        var two = Envelope.Seal(Plain, keys.Active, Context);
        const int Body = 4 + 60;

        Assert.Equal(EnvelopeError.Tampered, Envelope.TryOpen([.. one[..Body], .. two[Body..]], keys, Context, out _));
    }

    [Fact]
    public void TryRewrap_OldKey_OpensWithTheNewAloneAndTheBodyIsUntouched()
    {
        var (oldKey, newKey) = (TestKeys.Option("old"), TestKeys.Option("new"));
        using var before = TestKeys.Ring(oldKey);
        using var during = TestKeys.Ring(newKey, oldKey with { State = VaultKeyState.DecryptOnly });
        using var after = TestKeys.Ring(newKey);
        var record = Envelope.Seal(Plain, before.Active, Context);

        Assert.Equal(EnvelopeError.None, Envelope.TryRewrap(record, during, Context, out var rewrapped));

        Assert.Equal("new", Envelope.KeyIdOf(rewrapped));
        Assert.Equal(EnvelopeError.None, Envelope.TryOpen(rewrapped, after, Context, out var opened));
        Assert.Equal(Plain, opened.Bytes.ToArray());
        Assert.Equal(record[^(Plain.Length + 28)..], rewrapped[^(Plain.Length + 28)..]);
        Assert.Equal(EnvelopeError.UnknownKey, Envelope.TryOpen(record, after, Context, out _));
        Assert.Equal(EnvelopeError.UnknownKey, Envelope.TryRewrap(record, after, Context, out _));
    }

    [Fact]
    public void TryRewrap_RecordOfAnotherRow_IsTampered()
    {
        using var keys = TestKeys.Ring();
        var record = Envelope.Seal(Plain, keys.Active, Context);

        Assert.Equal(
            EnvelopeError.Tampered, Envelope.TryRewrap(record, keys, Context with { RecordId = Guid.NewGuid() }, out var rewrapped));
        Assert.Empty(rewrapped);
    }

    [Fact]
    public void TryOpen_SameKeyIdOtherBytes_IsTampered()
    {
        using var keys = TestKeys.Ring(TestKeys.Option("a"));
        using var impostor = TestKeys.Ring(TestKeys.Option("a"));

        Assert.Equal(
            EnvelopeError.Tampered, Envelope.TryOpen(Envelope.Seal(Plain, keys.Active, Context), impostor, Context, out _));
    }

    [Fact]
    public void Secret_Disposed_IsZeroedAndNeverText()
    {
        var secret = Secret.FromText("abc");
        Assert.Equal("abc", secret.Reveal());
        Assert.DoesNotContain("abc", secret.ToString(), StringComparison.Ordinal);

        secret.Dispose();

        Assert.Equal(new byte[3], secret.Bytes.ToArray());
    }
}
