using System.Formats.Tar;

namespace Berth.Operator.Tests;

/// <summary>What an attacker could put into an archive.</summary>
public sealed partial class ArchiveTests
{
    public static TheoryData<string, string> Hostile => new()
    {
        { "volume/../../evil", "no path within a volume" },
        { "/etc/evil", "does not lie in volume/" },
        { "volume//evil", "no path within a volume" },
        { "volume/./evil", "no path within a volume" },
        { "other/evil", "does not lie in volume/" },
        { "volume/.berth-restore-x.verified", "no path within a volume" },
        { "volume/link/evil", "does not lie in a folder of the archive" },
        { "volume/file/evil", "does not lie in a folder of the archive" },
        { "volume/missing/evil", "does not lie in a folder of the archive" },
        { "volume/file", "in it twice" },
        { "volume/link", "in it twice" },
    };

    [Theory, MemberData(nameof(Hostile))]
    public async Task Restore_HostileEntry_IsRefused_AndNothingIsTouched(string name, string why)
    {
        MakeHostile(tar => Add(tar, TarEntryType.RegularFile, name, content: "evil"));
        await RefusedAsync(why);
    }

    [Theory]
    [InlineData(TarEntryType.HardLink, "volume/h", "/etc/passwd", "does not lie in volume/")]
    [InlineData(TarEntryType.HardLink, "volume/h", "volume/../../etc/passwd", "no path within a volume")]
    [InlineData(TarEntryType.HardLink, "volume/h", "volume/link", "no file before it")]
    [InlineData(TarEntryType.HardLink, "volume/h", "volume/link/passwd", "does not lie in a folder of the archive")]
    [InlineData(TarEntryType.HardLink, "volume/h", "volume/nothing", "no file before it")]
    [InlineData(TarEntryType.Fifo, "volume/p", "", "of a kind")]
    [InlineData(TarEntryType.CharacterDevice, "volume/d", "", "of a kind")]
    public async Task Restore_HostileKind_IsRefused(TarEntryType type, string name, string target, string why)
    {
        MakeHostile(tar => Add(tar, type, name, target));
        await RefusedAsync(why);
    }

    [Fact]
    public async Task Restore_Bomb_IsRefused()
    {
        File.WriteAllBytes(Path.Combine(Root, "zeros"), new byte[3_000_000]);
        await RunAsync("create", "--root", Root, "--name", "one");
        var result = await RunAsync("restore", "--root", Root, "--name", "one", "--id", "r", "--max-bytes", "1000000");
        Assert.Contains("more than 1000000 bytes", result.Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(Root, "b"), "");
        await RunAsync("create", "--root", Root, "--name", "two");
        result = await RunAsync("restore", "--root", Root, "--name", "two", "--id", "r", "--max-entries", "1");
        Assert.Contains("more than 1 entries", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_ManifestThatSaysOtherwise_IsRefused()
    {
        MakeHostile(tar => { }, manifest => manifest.Replace(Hash("plain"), Hash("other"), StringComparison.Ordinal));
        await RefusedAsync("is not what the manifest says");
        MakeHostile(tar => { }, manifest => string.Join('\n', manifest.Split('\n').Skip(1)));
        await RefusedAsync("format");
        MakeHostile(tar => { }, _ => null);
        await RefusedAsync("has no manifest");
    }
}
