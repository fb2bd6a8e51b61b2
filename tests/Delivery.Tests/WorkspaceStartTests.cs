using System.Runtime.Versioning;

namespace Delivery.Tests;

/// <summary>The start scripts of the workspace images: what Berth says becomes what the application understands.</summary>
[SupportedOSPlatform("linux")]
public sealed class WorkspaceStartTests : IDisposable
{
    private readonly Stubs _stubs = new();
    private readonly Dictionary<string, string> _environment;

    public WorkspaceStartTests()
    {
        Directory.CreateDirectory(_stubs.In("volume"));
        _environment = new() { ["PORT"] = "8123", ["WORKSPACE_ROOT"] = _stubs.In("volume") };
        _stubs.Add("code-server", "echo \"HOME=$HOME PROXY=$VSCODE_PROXY_URI\"")
            .Add("jupyter", "case \"$*\" in 'server --version') echo \"${JUPYTER_SERVER:-2.14.0}\" ;; *) echo \"HOME=$HOME DATA=$JUPYTER_DATA_DIR\" ;; esac");
    }

    public void Dispose() => _stubs.Dispose();

    [Fact]
    public async Task CodeServer_TakesPortFilesAndAddress()
    {
        _environment["WORKSPACE_URL"] = "https://ws-one.example.dev/";

        var (code, output, errors) = await _stubs.RunAsync("src/images/code-server/start", ["--verbose"], _environment);

        Assert.True(code == 0, errors);
        var call = Assert.Single(_stubs.Calls);
        Assert.Contains("--bind-addr=0.0.0.0:8123 --auth=none", call, StringComparison.Ordinal);
        Assert.EndsWith(" --verbose " + _stubs.In("volume"), call, StringComparison.Ordinal);
        Assert.Equal($"HOME={_stubs.In("volume")} PROXY=https://ws-one.example.dev/proxy/{{{{port}}}}/", output.Trim());
    }

    [Fact]
    public async Task CodeServer_PodThatWaitedForItsPerson_ReadsTheAddressFromItsFile()
    {
        Directory.CreateDirectory(_stubs.In("info"));
        await File.WriteAllTextAsync(_stubs.In("info/url"), "https://ws-two.example.dev");
        _environment["WORKSPACE_INFO"] = _stubs.In("info");

        Assert.Contains("PROXY=https://ws-two.example.dev/proxy/", (await _stubs.RunAsync("src/images/code-server/start", [], _environment)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JupyterLab_TakesPortFilesAndAddress()
    {
        _environment["WORKSPACE_URL"] = "https://ws-one.example.dev";

        var (code, output, errors) = await _stubs.RunAsync("src/images/jupyterlab/start", ["--debug"], _environment);

        Assert.True(code == 0, errors);
        var call = _stubs.Calls[^1];
        Assert.StartsWith("jupyter lab ", call, StringComparison.Ordinal);
        Assert.All(
            ["--port=8123", $"--ServerApp.root_dir={_stubs.In("volume")}", "--IdentityProvider.token= ", "--ServerApp.custom_display_url=https://ws-one.example.dev", "--debug"],
            a => Assert.Contains(a, call, StringComparison.Ordinal));
        Assert.Contains($"DATA={_stubs.In("volume")}/.local/share/jupyter", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JupyterLab_OldServer_IsToldByTheOldName()
    {
        _environment["JUPYTER_SERVER"] = "1.23.3";

        await _stubs.RunAsync("src/images/jupyterlab/start", [], _environment);

        Assert.Contains("--ServerApp.token= ", _stubs.Calls[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("IdentityProvider", _stubs.Calls[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("code-server", "PORT", "", "PORT is not set")]
    [InlineData("jupyterlab", "PORT", "80 --evil", "which is no port")]
    [InlineData("code-server", "WORKSPACE_ROOT", "/nowhere", "cannot be written")]
    [InlineData("jupyterlab", "WORKSPACE_ROOT", "/nowhere", "cannot be written")]
    public async Task Start_WithoutWhatItNeeds_SaysWhat(string image, string name, string value, string expected)
    {
        _environment[name] = value;

        var (code, _, errors) = await _stubs.RunAsync($"src/images/{image}/start", [], _environment);

        Assert.NotEqual(0, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.Empty(_stubs.Calls);
    }
}
