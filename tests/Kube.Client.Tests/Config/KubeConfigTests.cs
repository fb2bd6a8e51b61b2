using System.Text;
using Kube.Client.Tests.Support;

namespace Kube.Client.Tests.Config;

public sealed class KubeConfigTests : IDisposable
{
    private static readonly TestCertificates Certificates = new();
    private static readonly (string CertificatePem, string KeyPem) Client = Certificates.Client();
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Parse_Kind_ClientCertificateAsData()
    {
        var config = KubeConfig.Parse(
            $"""
            apiVersion: v1
            clusters:
            - cluster:
                certificate-authority-data: {Base64(Certificates.CaPem)}
                server: https://127.0.0.1:42431
              name: kind-kind
            contexts:
            - context:
                cluster: kind-kind
                user: kind-kind
              name: kind-kind
            current-context: kind-kind
            kind: Config
            preferences: {"{}"}
            users:
            - name: kind-kind
              user:
                client-certificate-data: {Base64(Client.CertificatePem)}
                client-key-data: {Base64(Client.KeyPem)}
            """
        );
        Assert.Equal(("https://127.0.0.1:42431/", "kind-kind", "default"), (config.Server.ToString(), config.Context, config.Namespace));
        Assert.Equal(Certificates.CaPem, config.CertificateAuthorityPem);
        Assert.Equal(Client.KeyPem, config.Credentials.ClientKeyPem);
    }

    [Fact]
    public void Parse_K3dOnAllInterfaces_KeepsTheAddressAsItIs()
    {
        var config = KubeConfig.Parse(
            $"""
            apiVersion: v1
            kind: Config
            current-context: k3d-dev
            clusters: [{"{"} name: k3d-dev, cluster: {"{"} server: "https://0.0.0.0:6550", certificate-authority-data: {Base64(
                Certificates.CaPem
            )} {"}"} {"}"}]
            contexts: [{"{"} name: k3d-dev, context: {"{"} cluster: k3d-dev, user: admin@k3d-dev, namespace: team {"}"} {"}"}]
            users: [{"{"} name: admin@k3d-dev, user: {"{"} client-certificate-data: {Base64(
                Client.CertificatePem
            )}, client-key-data: {Base64(Client.KeyPem)} {"}"} {"}"}]
            """
        );
        Assert.Equal(("0.0.0.0", "team"), (config.Server.Host, config.Namespace));
    }

    [Fact]
    public void LoadFile_Minikube_FilesAreTakenFromTheFolderOfTheConfig()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "profiles"));
        _folder.Write("ca.crt", Certificates.CaPem);
        _folder.Write("profiles/client.crt", Client.CertificatePem);
        _folder.Write("profiles/client.key", Client.KeyPem);
        var config = KubeConfig.LoadFile(
            _folder.Write(
                "config",
                Text(
                    "certificate-authority: ca.crt",
                    """
                    client-certificate: profiles/client.crt
                    client-key: profiles/client.key
                    """
                )
            )
        );
        Assert.Equal(Certificates.CaPem, config.CertificateAuthorityPem);
        Assert.Equal(Client.CertificatePem, config.Credentials.ClientCertificatePem);
    }

    [Fact]
    public void LoadFile_Gke_ExecPlugin()
    {
        var config = KubeConfig.LoadFile(
            _folder.Write(
                "config",
                Text(
                    "tls-server-name: api.example",
                    """
                    exec:
                      apiVersion: client.authentication.k8s.io/v1beta1
                      command: gke-gcloud-auth-plugin
                      args: null
                      env:
                      - name: A
                        value: b
                      installHint: Install gke-gcloud-auth-plugin
                      provideClusterInfo: true
                      interactiveMode: IfAvailable
                    """
                )
            )
        );
        var exec = config.Credentials.Exec!;
        Assert.Equal(("gke-gcloud-auth-plugin", true, "b"), (exec.Command, exec.ProvideClusterInfo, exec.Environment["A"]));
        Assert.Equal("api.example", config.TlsServerName);
    }

    [Fact]
    public void LoadFile_ExecByRelativePath_IsTakenFromTheFolderOfTheConfig()
    {
        var config = KubeConfig.LoadFile(
            _folder.Write(
                "config",
                Text(
                    "",
                    """
                    exec: { apiVersion: client.authentication.k8s.io/v1, command: bin/plugin }
                    """
                )
            )
        );
        Assert.Equal(Path.Combine(_folder.Path, "bin/plugin"), config.Credentials.Exec!.Command);
    }

    [Fact]
    public void Parse_EmbeddedServer_TokenAndCa()
    {
        var config = KubeConfig.Parse(Text($"certificate-authority-data: {Base64(Certificates.CaPem)}", "token: abc.def"));
        Assert.Equal("abc.def", config.Credentials.Token);
    }

    [Fact]
    public void Parse_Json_IsAKubeconfigToo()
    {
        var config = KubeConfig.Parse(
            """
            {"kind":"Config","apiVersion":"v1","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
             "clusters":[{"name":"k","cluster":{"server":"http://localhost:8001","proxy-url":"socks5://127.0.0.1:1080","insecure-skip-tls-verify":true}}],
             "users":[{"name":"u","user":{"username":"a","password":"b","as":"jane","as-groups":["x"]}}]}
            """
        );
        Assert.Equal(("a", "b", "jane"), (config.Credentials.Username, config.Credentials.Password, config.Credentials.ImpersonateUser));
        Assert.Equal(("socks5", true), (config.ProxyUrl!.Scheme, config.InsecureSkipTlsVerify));
    }

    [Fact]
    public void Parse_NamedContext_WinsOverTheCurrentOneAndIgnoresBrokenOthers()
    {
        var config = KubeConfig.Parse(
            """
            current-context: broken
            contexts:
            - { name: broken, context: { cluster: nowhere } }
            - { name: good, context: { cluster: k } }
            clusters:
            - { name: bad, cluster: { server: 17 } }
            - { name: k, cluster: { server: https://good } }
            """,
            "good"
        );
        Assert.Equal(("good", "good"), (config.Server.Host, config.Context));
    }

    [Fact]
    public void Load_TwoFiles_FirstWinsAndMissingOnesAreSkipped()
    {
        var first = _folder.Write(
            "1",
            """
            current-context: a
            contexts: [{ name: a, context: { cluster: k, user: u, namespace: one } }]
            """
        );
        var second = _folder.Write(
            "2",
            """
            current-context: b
            contexts: [{ name: a, context: { cluster: other } }]
            clusters: [{ name: k, cluster: { server: https://two } }]
            users: [{ name: u, user: { token: t } }]
            """
        );
        var environment = Env(("KUBECONFIG", string.Join(Path.PathSeparator, Path.Combine(_folder.Path, "none"), first, "", second)));
        var config = KubeConfigLoader.Load(environment, null);
        Assert.Equal(("two", "one", "t"), (config.Server.Host, config.Namespace, config.Credentials.Token));
    }

    [Fact]
    public void Load_NothingSet_TakesTheHomeFolderThenThePod()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, ".kube"));
        Pod();
        var environment = Env(("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("KUBERNETES_SERVICE_PORT", "443"));
        Assert.Equal("in-cluster", KubeConfigLoader.Load(environment, null).Context);
        _folder.Write(".kube/config", Text("", "token: t"));
        Assert.Equal("c", KubeConfigLoader.Load(environment, null).Context);
    }

    [Fact]
    public void Load_NothingAnywhere_SaysWhereItLooked()
    {
        var error = Assert.Throws<KubeConfigException>(() => KubeConfigLoader.Load(Env(), null));
        Assert.Contains("Set KUBECONFIG", error.Message, StringComparison.Ordinal);
        Assert.Contains(".kube/config", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_KubeconfigVariableNamesNothingThatExists_SaysSo()
    {
        var error = Assert.Throws<KubeConfigException>(() => KubeConfigLoader.Load(Env(("KUBECONFIG", "/nowhere/x")), null));
        Assert.Contains("/nowhere/x", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.1", "https://10.0.0.1:6443/")]
    [InlineData("fd00::1", "https://[fd00::1]:6443/")]
    [InlineData("kubernetes.default.svc", "https://kubernetes.default.svc:6443/")]
    public void InCluster_Host_GivesTheServer(string host, string server)
    {
        Pod();
        var config = KubeConfigLoader.InCluster(Env(("KUBERNETES_SERVICE_HOST", host), ("KUBERNETES_SERVICE_PORT", "6443")));
        Assert.Equal((server, "team"), (config.Server.ToString(), config.Namespace));
        Assert.Equal(Path.Combine(_folder.Path, "token"), config.Credentials.TokenFile);
        Assert.Equal(Certificates.CaPem, config.CertificateAuthorityPem);
    }

    [Fact]
    public void InCluster_NothingMounted_NamesAllAndTheRemedy()
    {
        var error = Assert.Throws<KubeConfigException>(() =>
            KubeConfigLoader.InCluster(Env(("KUBERNETES_SERVICE_HOST", "x"), ("KUBERNETES_SERVICE_PORT", "nan")))
        );
        Assert.Equal(3, error.Problems.Count);
        Assert.Contains("automountServiceAccountToken", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadFile_ManyProblems_AllInOneMessageWithFileAndField()
    {
        var path = _folder.Write(
            "config",
            Text(
                    """
                    certificate-authority: missing.crt
                    insecure-skip-tls-verify: perhaps
                    proxy-url: ftp://x
                    """,
                    """
                    client-certificate-data: "***"
                    client-key: missing.key
                    token: secret1
                    username: u
                    password: secret2
                    """
                )
                .Replace("https://good", "good", StringComparison.Ordinal)
        );
        var error = Assert.Throws<KubeConfigException>(() => KubeConfig.LoadFile(path));
        string[] expected =
        [
            "clusters[name=k].cluster.server must be an absolute http or https URL",
            "clusters[name=k].cluster.certificate-authority cannot be used",
            "clusters[name=k].cluster.insecure-skip-tls-verify must be true or false",
            "clusters[name=k].cluster.proxy-url must be",
            "users[name=u].user.client-certificate-data is not base64",
            "users[name=u].user.client-key cannot be used",
            "users[name=u].user has more than one way to sign in",
        ];
        Assert.All(expected, e => Assert.Contains($"{path}: {e}", error.Message, StringComparison.Ordinal));
        Assert.Equal(expected.Length, error.Problems.Count);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "auth-provider: { name: gcp }", "auth-provider (gcp) was removed")]
    [InlineData("", "exec: { apiVersion: client.authentication.k8s.io/v1alpha1, command: x }", "exec.apiVersion must be")]
    [InlineData("", "exec: { apiVersion: client.authentication.k8s.io/v1 }", "exec.command is missing")]
    [InlineData("", "exec: { apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always }", "no terminal")]
    [InlineData("", "exec: [ x ]", "exec must be a mapping")]
    [InlineData("", "token: \"a\\nb\"", "characters that no token has")]
    [InlineData("", "tokenFile: nowhere", "does not exist")]
    [InlineData("", "as-groups: [ x ]", "user.as is missing")]
    [InlineData("", "client-key-data: eA==", "client-certificate is missing")]
    [InlineData("certificate-authority-data: aGVsbG8=", "", "holds no certificate")]
    public void Parse_OneProblem_IsNamed(string cluster, string user, string expected)
    {
        var error = Assert.Throws<KubeConfigException>(() => KubeConfig.Parse(Text(cluster, user)));
        Assert.Contains(expected, Assert.Single(error.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_CaTogetherWithInsecure_IsRefused()
    {
        var error = Assert.Throws<KubeConfigException>(() =>
            KubeConfig.Parse(Text($"certificate-authority-data: {Base64(Certificates.CaPem)}\ninsecure-skip-tls-verify: true", ""))
        );
        Assert.Contains("contradicts certificate-authority-data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_KeyOfAnotherCertificate_IsRefused()
    {
        var other = new TestCertificates().Client();
        var error = Assert.Throws<KubeConfigException>(() =>
            KubeConfig.Parse(
                Text(
                    "",
                    $"""
                    client-certificate-data: {Base64(Client.CertificatePem)}
                    client-key-data: {Base64(other.KeyPem)}
                    """
                )
            )
        );
        Assert.Contains("belong together", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "current-context is not set")]
    [InlineData("just text", "top level must be a mapping")]
    [InlineData("- a", "top level must be a mapping")]
    [InlineData("a: [", "is not valid YAML at line")]
    [InlineData("a: 1\na: 2", "is not valid YAML at line")]
    [InlineData("current-context: x", "no context \"x\"; there are none")]
    [InlineData("current-context: x\ncontexts: [{name: y, context: {}}]", "no context \"x\"; known are y")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {}}]", "contexts[name=x].context.cluster is missing")]
    [InlineData("current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]", "names the cluster \"c\", which no file has")]
    [InlineData("current-context: x\ncontexts: notalist", "contexts must be a list")]
    public void Parse_NotUsable_SaysWhat(string text, string expected)
    {
        var error = Assert.Throws<KubeConfigException>(() => KubeConfig.Parse(text));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", 200_000)]
    [InlineData("{a: ", 100_000)]
    public void Parse_EndlessNesting_IsRefusedWithoutExhaustingTheStack(string opening, int depth)
    {
        var error = Assert.Throws<KubeConfigException>(() => KubeConfig.Parse(new StringBuilder().Insert(0, opening, depth).ToString()));
        Assert.Contains("nests more than", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadFile_IsAFolder_SaysThatItCannotBeRead()
    {
        var error = Assert.Throws<KubeConfigException>(() => KubeConfig.LoadFile(_folder.Path));
        Assert.StartsWith($"The Kubernetes configuration cannot be used: {_folder.Path} ", error.Message, StringComparison.Ordinal);
    }

    private static string Text(string cluster, string user) =>
        $"""
            apiVersion: v1
            kind: Config
            current-context: c
            contexts:
            - name: c
              context:
                cluster: k
                user: u
            clusters:
            - name: k
              cluster:
                server: https://good
            {Indent(cluster)}
            users:
            - name: u
              user:
                unknown-field: x
            {Indent(user)}
            """;

    private static string Indent(string text) => string.Join('\n', text.Split('\n').Select(l => "    " + l));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private void Pod()
    {
        _folder.Write("token", "t");
        _folder.Write("ca.crt", Certificates.CaPem);
        _folder.Write("namespace", "team\n");
    }

    private KubeConfigEnvironment Env(params (string Name, string Value)[] variables) =>
        new(name => variables.FirstOrDefault(v => v.Name == name).Value, _folder.Path, _folder.Path);
}
