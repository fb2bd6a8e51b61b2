using System.Text.Json;
using Kube.Client.Models;
using Kube.Client.Tests.Support;
using Testing;

namespace Kube.Client.Tests.Auth;

public sealed class CredentialTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TokenFile_Rotated_IsReadAgainAfterAMinute()
    {
        var file = _folder.Write("token", "one\n");
        await using var server = Ok();
        using var client = Client(server, new() { TokenFile = file, Token = "old" });
        await GetAsync(client);
        _folder.Write("token", "two\n");
        _clock.Advance(TimeSpan.FromSeconds(59));
        await GetAsync(client);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await GetAsync(client);
        Assert.Equal(["Bearer one", "Bearer one", "Bearer two"], Sent(server));
    }

    [Fact]
    public async Task TokenFile_GoneLater_KeepsTheLastToken()
    {
        var file = _folder.Write("token", "one");
        await using var server = Ok();
        using var client = Client(server, new() { TokenFile = file });
        await GetAsync(client);
        File.Delete(file);
        _clock.Advance(TimeSpan.FromMinutes(2));
        await GetAsync(client);
        Assert.Equal(["Bearer one", "Bearer one"], Sent(server));
    }

    [Fact]
    public async Task TokenFile_Refused_IsReadAgainAtOnce()
    {
        var file = _folder.Write("token", "one");
        await using var server = new ScriptedServer(
            (request, c) =>
                c.WriteAsync(
                    request.Header("Authorization") == "Bearer two"
                        ? Answer.Json(Answer.ConfigMap("x"))
                        : Answer.Status(401, "Unauthorized", "Unauthorized")
                )
        );
        using var client = Client(server, new() { TokenFile = file });
        await Assert.ThrowsAsync<KubeException>(() => GetAsync(client));
        _folder.Write("token", "two");
        await GetAsync(client);
    }

    [Fact]
    public async Task TokenFile_Empty_IsAClearError()
    {
        await using var server = Ok();
        using var client = Client(server, new() { TokenFile = _folder.Write("token", "\n") });
        var error = await Assert.ThrowsAsync<KubeException>(() => GetAsync(client));
        Assert.Contains("holds no token", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Basic_IsSent()
    {
        await using var server = Ok();
        using var client = Client(server, new() { Username = "u", Password = "p:ü" });
        await GetAsync(client);
        Assert.Equal(["Basic dTpwOsO8"], Sent(server));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1beta1")]
    public async Task Exec_Token_IsKeptUntilItExpires(string version)
    {
        var plugin = _folder.Script(
            "plugin",
            $$"""
            n=$(cat {{_folder.Path}}/count 2>/dev/null || echo 0); n=$((n+1)); echo $n > {{_folder.Path}}/count
            echo "$KUBERNETES_EXEC_INFO" > {{_folder.Path}}/info
            echo '{"apiVersion":"client.authentication.k8s.io/{{version}}","kind":"ExecCredential","status":{"token":"'$PREFIX$1$n'","expirationTimestamp":"2030-01-01T01:00:00Z"} }'
            """
        );
        await using var server = Ok();
        using var client = Client(
            server,
            new()
            {
                Exec = new()
                {
                    ApiVersion = $"client.authentication.k8s.io/{version}",
                    Command = plugin,
                    Arguments = ["t"],
                    Environment = new Dictionary<string, string> { ["PREFIX"] = "p" },
                    ProvideClusterInfo = true,
                },
            }
        );
        await Task.WhenAll(GetAsync(client), GetAsync(client));
        _clock.Advance(TimeSpan.FromMinutes(59));
        await GetAsync(client);
        _clock.Advance(TimeSpan.FromMinutes(2));
        await GetAsync(client);
        Assert.Equal(["Bearer pt1", "Bearer pt1", "Bearer pt1", "Bearer pt2"], Sent(server));
        using var info = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder.Path, "info")));
        Assert.Equal(
            $"http://127.0.0.1:{server.Port}",
            info.RootElement.GetProperty("spec").GetProperty("cluster").GetProperty("server").GetString()
        );
        Assert.False(info.RootElement.GetProperty("spec").GetProperty("interactive").GetBoolean());
    }

    [Fact]
    public async Task Exec_Refused_RunsAgainAndRepeatsTheRead()
    {
        var plugin = _folder.Script(
            "plugin",
            $$"""
            n=$(cat {{_folder.Path}}/count 2>/dev/null || echo 0); n=$((n+1)); echo $n > {{_folder.Path}}/count
            echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t'$n'"} }'
            """
        );
        await using var server = new ScriptedServer(
            (request, c) =>
                c.WriteAsync(
                    request.Header("Authorization") == "Bearer t2"
                        ? Answer.Json(Answer.ConfigMap("x"))
                        : Answer.Status(401, "Unauthorized", "Unauthorized")
                )
        );
        using var client = Client(server, Plugin(plugin));
        await GetAsync(client);
        Assert.Equal(["Bearer t1", "Bearer t2"], Sent(server));
    }

    [Theory]
    [InlineData("echo 'secret'; echo 'please sign in' >&2; exit 3", "exit code 3: please sign in")]
    [InlineData("echo 'secret{'", "did not write an ExecCredential")]
    [InlineData(
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{}}'",
        "neither a token nor a client certificate"
    )]
    [InlineData(
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1alpha1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"secret\"}}'",
        "it wrote client.authentication.k8s.io/v1alpha1"
    )]
    [InlineData(
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"secret\"}}'",
        "only one of"
    )]
    [InlineData(
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"sec ret\"}}'",
        "characters that no token has"
    )]
    public async Task Exec_Fails_SaysWhyWithoutItsOutput(string script, string expected)
    {
        await using var server = Ok();
        using var client = Client(server, Plugin(_folder.Script("plugin", script)));
        var error = await Assert.ThrowsAsync<KubeException>(() => GetAsync(client));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Exec_ProgramMissing_GivesTheInstallHint()
    {
        await using var server = Ok();
        using var client = Client(
            server,
            new()
            {
                Exec = new()
                {
                    ApiVersion = "client.authentication.k8s.io/v1",
                    Command = "no-such-plugin-anywhere",
                    InstallHint = "Install it from the vendor.",
                },
            }
        );
        var error = await Assert.ThrowsAsync<KubeException>(() => GetAsync(client));
        Assert.Contains("Install it from the vendor.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_Hangs_IsEndedAfterAMinute()
    {
        await using var server = Ok();
        using var client = Client(server, Plugin(_folder.Script("plugin", "exec sleep 600")));
        var get = client.GetAsync<ConfigMap>("a", "x", Wait.Limit());
        await Wait.UntilAsync(() => _clock.ArmedTimers > 0);
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Contains("within 60 s", (await Assert.ThrowsAsync<KubeException>(() => get)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_AnyCredentials_HoldNoSecret()
    {
        KubeCredentials[] all =
        [
            new() { Token = "secret" },
            new() { Username = "u", Password = "secret" },
            new() { ClientCertificatePem = "c", ClientKeyPem = "secret" },
            new()
            {
                Exec = new()
                {
                    ApiVersion = "v",
                    Command = "c",
                    Arguments = ["secret"],
                    Environment = new Dictionary<string, string> { ["A"] = "secret" },
                },
            },
        ];
        foreach (var credentials in all)
        {
            var config = new KubeConfig { Server = new Uri("https://x"), Credentials = credentials };
            Assert.DoesNotContain("secret", $"{config} {credentials} {credentials.Exec}", StringComparison.Ordinal);
        }
    }

    private static KubeCredentials Plugin(string command) =>
        new()
        {
            Exec = new() { ApiVersion = "client.authentication.k8s.io/v1", Command = command },
        };

    private static ScriptedServer Ok() => ScriptedServer.Answers(Answer.Json(Answer.ConfigMap("x")));

    private static IEnumerable<string?> Sent(ScriptedServer server) => server.Requests.Select(r => r.Header("Authorization"));

    private KubeClient Client(ScriptedServer server, KubeCredentials credentials) =>
        KubeClient.Create(server.Config with { Credentials = credentials }, new() { TimeProvider = _clock });

    private static Task<ConfigMap> GetAsync(KubeClient client) => client.GetAsync<ConfigMap>("a", "x", Wait.Limit());
}
