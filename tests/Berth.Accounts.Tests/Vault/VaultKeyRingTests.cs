namespace Berth.Accounts.Tests.Vault;

public class VaultKeyRingTests
{
    [Fact]
    public void Create_ActiveAndDecryptOnly_BothOpenOneSeals()
    {
        using var keys = TestKeys.Ring(TestKeys.Option("1", VaultKeyState.DecryptOnly), TestKeys.Option("2"));

        Assert.Equal("2", keys.Active.Id);
        Assert.NotNull(keys.Find("1"));
        Assert.Null(keys.Find("3"));
    }

    [Fact]
    public void Create_RetiredKey_NeedsNoBytesAndOpensNothing()
    {
        using var keys = TestKeys.Ring(new VaultKeyOptions { Id = "1", State = VaultKeyState.Retired }, TestKeys.Option("2"));

        Assert.Null(keys.Find("1"));
    }

    [Fact]
    public void Create_File_IsReadAndTrimmed()
    {
        var option = TestKeys.Option("1");
        var keys = VaultKeyRing.Create(
            new VaultOptions { Keys = [new() { Id = "1", File = "/keys/1" }], FingerprintKeys = [TestKeys.Option("f")] },
            path => path == "/keys/1" ? option.Key + "\n" : throw new FileNotFoundException(), (_, _) => { });

        Assert.Equal(Convert.FromBase64String(option.Key!), keys!.Active.Bytes.ToArray());
    }

    [Theory]
    [InlineData("no-active", "Keys has 0 keys in state Active")]
    [InlineData("two-active", "Keys has 2 keys in state Active")]
    [InlineData("same-id", "Keys:1:Id is '1', which is another key's")]
    [InlineData("bad-id", "Keys:0:Id is 'a b'")]
    [InlineData("short", "Keys:0 is not 32 bytes in base64")]
    [InlineData("repeated", "Keys:0 is one byte repeated")]
    [InlineData("neither", "Keys:0 needs Key or File")]
    [InlineData("both", "Keys:0 needs Key or File")]
    [InlineData("no-file", "Keys:0:File names '/none', which cannot be read")]
    [InlineData("no-fingerprint", "FingerprintKeys has 0 keys")]
    [InlineData("twin", "hold the key of 'f' twice")]
    public void Create_Wrong_NamesTheOptionAndTheRemedyButNeverTheKey(string wrong, string expected)
    {
        var good = TestKeys.Option("1");
        var f = TestKeys.Option("f");
        var options = wrong switch
        {
            "no-active" => Options([good with { State = VaultKeyState.DecryptOnly }], f),
            "two-active" => Options([good, TestKeys.Option("2")], f),
            "same-id" => Options([good, TestKeys.Option("1", VaultKeyState.DecryptOnly)], f),
            "bad-id" => Options([good with { Id = "a b" }], f),
            "short" => Options([good with { Key = "c2hvcnQ=" }], f),
            "repeated" => Options([good with { Key = Convert.ToBase64String(new byte[32]) }], f),
            "neither" => Options([good with { Key = null }], f),
            "both" => Options([good with { File = "/f" }], f),
            "no-file" => Options([good with { Key = null, File = "/none" }], f),
            "no-fingerprint" => Options([good]),
            _ => Options([good], f with { Key = good.Key }),
        };
        var problems = new List<string>();

        var keys = VaultKeyRing.Create(options, _ => throw new FileNotFoundException("missing"), (n, t) => problems.Add($"{n} {t}"));

        Assert.Null(keys);
        Assert.Contains(problems, p => p.StartsWith(expected, StringComparison.Ordinal) || p.Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(problems, p => p.Contains(good.Key!, StringComparison.Ordinal));
    }

    private static VaultOptions Options(IList<VaultKeyOptions> keys, params VaultKeyOptions[] fingerprints) =>
        new() { Keys = keys, FingerprintKeys = fingerprints };
}
