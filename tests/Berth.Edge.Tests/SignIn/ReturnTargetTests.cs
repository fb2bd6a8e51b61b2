namespace Berth.Edge.Tests;

public class ReturnTargetTests
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a/b?c=d%2Fe&f=http://x/", "/a/b?c=d%2Fe&f=http://x/")]
    [InlineData("/%61", "/a")]
    [InlineData("http://localhost:8080/dashboard?x=1", "/dashboard?x=1")]
    [InlineData("http://ws-one.localhost:8080/lab?x=1", "http://ws-one.localhost:8080/lab?x=1")]
    [InlineData("http://ws-one.localhost:8080", "http://ws-one.localhost:8080/")]
    [InlineData("/auth/workspace?host=ws-one.localhost&return=%2Fa%23b", "/auth/workspace?host=ws-one.localhost&return=%2Fa%23b")]
    public void Clean_OwnTarget_IsKept(string target, string expected) => Assert.Equal(expected, Targets().Clean(target));

    [Theory]
    [InlineData("/.berth/session?ticket=x")]
    [InlineData("//evil.example")]
    [InlineData("http://evil.example")]
    [InlineData("/a/../b")]
    public void CleanWorkspacePath_NotAPathOfTheApplication_IsTheRoot(string target) =>
        Assert.Equal("/", ReturnTargets.CleanWorkspacePath(target));

    [Fact]
    public void CleanWorkspacePath_FileNameWithEscapes_IsKept() =>
        Assert.Equal("/files/a%23b%25.txt?x=%2F", ReturnTargets.CleanWorkspacePath("/files/a%23b%25.txt?x=%2F"));

    private static ReturnTargets Targets()
    {
        var directory = new TableDirectory();
        directory.Put(EdgeFixture.Entry(EdgeFixture.WorkspaceHost, "https://idp.example.test", "user1", 1));
        return new ReturnTargets(EdgeSettingsParser.Parse(EdgeFixture.Options("https://idp.example.test")), directory);
    }
}
