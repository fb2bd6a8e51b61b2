using System.Runtime.Versioning;

namespace Delivery.Tests;

/// <summary>src/deploy/k3d, with programs that write down how they were called: k3d itself needs a network that the tests may not have.</summary>
[SupportedOSPlatform("linux")]
public sealed class K3dScriptTests : IDisposable
{
    private readonly Stubs _stubs = new();
    private readonly Dictionary<string, string> _environment = new() { ["SKIP_BUILD"] = "1" };

    public void Dispose() => _stubs.Dispose();

    [Fact]
    public async Task Up_NothingInstalled_NamesAllThatIsMissingAtOnce()
    {
        var (code, _, errors) = await _stubs.RunAsync("src/deploy/k3d", ["up"]);

        Assert.Equal(1, code);
        Assert.All(["docker", "k3d", "helm", "kubectl", "dotnet"], p => Assert.Contains($"{p} is not there", errors, StringComparison.Ordinal));
        Assert.Contains("https://k3d.io", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_OldOrSilentPrograms_SaysWhichAreNeeded()
    {
        AddPrograms();
        _stubs.Add("k3d", "echo 'k3d version v4.4.8'").Add("docker", "exit 1");

        var (code, _, errors) = await _stubs.RunAsync("src/deploy/k3d", ["up"], _environment);

        Assert.Equal(1, code);
        Assert.Contains("k3d is 4.4.8 and has to be 5.4 or later", errors, StringComparison.Ordinal);
        Assert.Contains("docker does not answer", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_NoCluster_MakesItAndInstallsEverything()
    {
        AddPrograms();

        var (code, output, errors) = await _stubs.RunAsync("src/deploy/k3d", ["up"], _environment);

        Assert.True(code == 0, errors);
        var create = Call("k3d cluster create berth");
        Assert.Contains("--port 127.0.0.1:8080:80@loadbalancer --port 127.0.0.1:8081:8081@loadbalancer", create, StringComparison.Ordinal);
        Assert.Contains("--disable=traefik@server:*", create, StringComparison.Ordinal);
        Assert.Contains("berth-operator:dev berth-edge:dev berth-studio:dev berth-local:dev berth-postgres:dev", Call("k3d image import"), StringComparison.Ordinal);
        Assert.Contains("allowCrossNamespace=true", Call("helm upgrade --install traefik"), StringComparison.Ordinal);
        var berth = Call("helm upgrade --install berth");
        Assert.Contains("edge.hostAliases[0].ip=10.43.0.9", berth, StringComparison.Ordinal);
        Assert.Contains("--kube-context k3d-berth", berth, StringComparison.Ordinal);
        Assert.Equal("s3cret", await File.ReadAllTextAsync(_stubs.In("secret")));
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("s3cret", StringComparison.Ordinal));
        Assert.Contains("Berth is ready: http://localhost:8080", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_ClusterIsThere_KeepsIt()
    {
        AddPrograms();
        _environment["THERE"] = "1";

        var (code, output, errors) = await _stubs.RunAsync("src/deploy/k3d", ["up"], _environment);

        Assert.True(code == 0, errors);
        Assert.DoesNotContain(_stubs.Calls, c => c.StartsWith("k3d cluster create", StringComparison.Ordinal));
        Assert.Contains("the cluster berth is there", output, StringComparison.Ordinal);
        Assert.NotNull(Call("helm upgrade --install berth"));
    }

    [Fact]
    public async Task Up_OtherPorts_AreUsedThroughout()
    {
        AddPrograms();
        (_environment["PORT"], _environment["IDP_PORT"]) = ("9000", "9001");

        var (code, output, errors) = await _stubs.RunAsync("src/deploy/k3d", ["up"], _environment);

        Assert.True(code == 0, errors);
        Assert.Contains("127.0.0.1:9000:80@loadbalancer --port 127.0.0.1:9001:9001@loadbalancer", Call("k3d cluster create"), StringComparison.Ordinal);
        Assert.Contains("publicOrigin=http://localhost:9000", Call("helm upgrade --install berth"), StringComparison.Ordinal);
        Assert.Contains("issuers[0].issuer=http://idp.localhost:9001", Call("helm upgrade --install berth"), StringComparison.Ordinal);
        Assert.Contains("http://localhost:9000", output, StringComparison.Ordinal);
        var applied = await File.ReadAllTextAsync(_stubs.In("applied"));
        Assert.Contains("value: \"9001\"", applied, StringComparison.Ordinal);
        Assert.DoesNotContain("__", applied, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Up_NoSuchPortOrImage_SaysSo()
    {
        AddPrograms();
        _environment["PORT"] = "99999";
        Assert.Contains("'99999' is no port", (await _stubs.RunAsync("src/deploy/k3d", ["up"], _environment)).Errors, StringComparison.Ordinal);

        _environment["PORT"] = "8080";
        _environment["NO_IMAGE"] = "1";
        Assert.Contains("berth-operator:dev is not there", (await _stubs.RunAsync("src/deploy/k3d", ["up"], _environment)).Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.StartsWith("k3d cluster create", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "there is no cluster")]
    [InlineData("1", "")]
    public async Task Down_RemovesWhatIsThere(string there, string expected)
    {
        AddPrograms();
        _environment["THERE"] = there;

        var (code, output, _) = await _stubs.RunAsync("src/deploy/k3d", ["down"], _environment);

        Assert.Equal(0, code);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.Equal(there == "1", _stubs.Calls.Contains("k3d cluster delete berth"));
    }

    private string Call(string start) => Assert.Single(_stubs.Calls, c => c.StartsWith(start, StringComparison.Ordinal));

    private void AddPrograms() => _stubs
        .Add("docker", "case \"$*\" in version*) echo 28.0.1 ;; 'image inspect'*) [ -z \"$NO_IMAGE\" ] ;; esac")
        .Add("k3d", "case \"$*\" in version*) echo 'k3d version v5.8.3' ;; 'cluster list'*) [ -n \"$THERE\" ] ;; esac")
        .Add("helm", "case \"$*\" in version*) echo v3.19.0 ;; esac")
        .Add("kubectl", $$"""
            case "$*" in
                version*) echo '  gitVersion: v1.33.1' ;;
                *get-contexts*) echo k3d-berth ;;
                *exec*) echo s3cret ;;
                *"create secret"*"--from-file=client-secret=/dev/stdin"*) cat > '{{_stubs.In("secret")}}' ;;
                *"get service idp"*) echo 10.43.0.9 ;;
                *"get deploy"*) echo deployment.apps/berth-edge ;;
                *apply*) cat >> '{{_stubs.In("applied")}}' ;;
            esac
            """);
}
