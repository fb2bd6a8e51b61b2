using Berth.Operator.Preflight;

namespace Berth.Operator.Tests.Preflight;

public sealed class ChartValuesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("berth-values-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Read_TwoFiles_LaysTheLaterOverTheEarlier()
    {
        var values = ChartValues.Read([
            File("a", "edge: { replicas: 2, image: { tag: one } }\nissuers: [{ issuer: a }, { issuer: b }]\ntemplates: { studio: { port: 1 }, web: { port: 2 } }\n"),
            File("b", "edge: { image: { tag: two } }\nissuers: [{ issuer: c }]\ntemplates: { web: null }\n"),
        ]);

        Assert.Equal("2", values.Text("edge", "replicas"));
        Assert.Equal("two", values.Text("edge", "image", "tag"));
        Assert.Equal("""[{"issuer":"c"}]""", values["issuers"]!.ToJsonString());
        Assert.Null(values.At("templates", "web"));
        Assert.Equal("1", values.Text("templates", "studio", "port"));
    }

    [Theory]
    [InlineData("a: [1", "is not valid YAML at line")]
    [InlineData("- a", "holds no mapping")]
    [InlineData("a: &x [*x]", "nests more than")]
    [InlineData("a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]", "too large")]
    public void Read_NotValues_NamesTheFile(string text, string expected)
    {
        var file = File("bad", text);

        var error = Assert.Throws<OperatorConfigurationException>(() => ChartValues.Read([file]));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TooDeep_IsRefused()
    {
        var file = File("deep", new string('[', 1000) + new string(']', 1000));

        Assert.Contains("nests more than", Assert.Throws<OperatorConfigurationException>(() => ChartValues.Read([file])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoSuchFile_SaysSo() => Assert.Contains(
        "cannot be read", Assert.Throws<OperatorConfigurationException>(() => ChartValues.Read([Path.Combine(_folder.FullName, "none")])).Message,
        StringComparison.Ordinal);

    private string File(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name + ".yaml");
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
