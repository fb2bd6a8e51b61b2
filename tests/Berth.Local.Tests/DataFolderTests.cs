namespace Berth.Local.Tests;

public sealed class DataFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("data").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_AlreadyOpen_SaysSoAndWhatToDo()
    {
        using var first = DataFolder.Open(_folder);

        var error = Assert.Throws<LocalConfigurationException>(() => DataFolder.Open(_folder));

        Assert.Contains("BERTH_DATA", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_AfterTheFirstWasClosed_Works()
    {
        DataFolder.Open(_folder).Dispose();

        using var second = DataFolder.Open(_folder);

        Assert.Equal(_folder, second.Root);
    }

    [Theory]
    [InlineData("")]
    [InlineData("!!!")]
    [InlineData("c2hvcnQ")]
    public void Secret_Damaged_NamesTheFileAndTheRemedy(string content)
    {
        using var folder = DataFolder.Open(_folder);
        DataFolder.WritePrivate(folder.In("edge/key"), content);

        var error = Assert.Throws<LocalConfigurationException>(() => folder.Secret("edge/key"));

        Assert.Contains(folder.In("edge/key"), error.Message, StringComparison.Ordinal);
        Assert.Contains("remove it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void Secret_SecondTime_IsTheSameAndPrivate()
    {
        using var folder = DataFolder.Open(_folder);

        var first = folder.Secret("edge/key");

        Assert.Equal(first, folder.Secret("edge/key"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.In("edge/key")));
    }
}
