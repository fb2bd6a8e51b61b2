using Kube.Server.Runner;

namespace Kube.Server.Tests.Http;

/// <summary>A server that runs pods, with the custom kinds of this repository: what each kubectl talks to.</summary>
public sealed class KubectlFixture : IAsyncLifetime
{
    public ApiServer Api { get; private set; } = null!;

    public async Task InitializeAsync() => Api = await ApiServer.StartAsync(options =>
    {
        var catalog = Path.Combine(options.DataDirectory, "images.yaml");
        File.WriteAllText(catalog, "sh: { command: [sh, -c] }\n");
        return options with
        {
            Runner = new PodRunnerOptions
            {
                ImageCatalog = catalog,
                ShutdownGrace = TimeSpan.FromSeconds(1),
                BackoffBase = TimeSpan.FromMilliseconds(50)
            },
        };
    });

    public async Task DisposeAsync() => await Api.DisposeAsync();
}

/// <summary>The life of a workspace and the logs of a pod with every kubectl there is.</summary>
public sealed class KubectlVersionsTests(KubectlFixture fixture) : IClassFixture<KubectlFixture>
{
    private const string Workspace = """
        apiVersion: berth.dev/v1alpha1
        kind: UserWorkspace
        metadata: { name: sample }
        spec:
          owner: { issuer: "https://id.example.com/", subject: "42", email: ada@example.com, name: Ada }
          template: { name: studio }
          desiredState: Running
        """;

    public static TheoryData<string> Versions()
    {
        var names = Kubectl.All().Keys.Order(StringComparer.Ordinal).ToList();
        return names.Count == 0 ? [""] : [.. names];
    }

    [SkippableTheory, MemberData(nameof(Versions))]
    public async Task Kubectl_LifeOfAWorkspace_Works(string version)
    {
        Skip.If(version.Length == 0, "kubectl is not on PATH");
        using var kubectl = new Kubectl(Kubectl.All()[version]);
        await kubectl.ConnectAsync(fixture.Api.Server);
        var ns = "w" + Guid.NewGuid().ToString("N")[..8];
        var manifest = kubectl.Write("workspace.yaml", Workspace);
        await kubectl.RunAsync($"create namespace {ns}");
        await kubectl.RunAsync($"apply -f {AppContext.BaseDirectory}/crds");
        await kubectl.RunAsync("wait crd/userworkspaces.berth.dev --for=condition=Established --timeout=60s");
        Assert.Contains("userworkspace.berth.dev/sample created", await kubectl.RunAsync($"apply -n {ns} -f {manifest}"),
            StringComparison.Ordinal);
        Assert.Contains("unchanged", await kubectl.RunAsync($"apply -n {ns} -f {manifest}"), StringComparison.Ordinal);
        Assert.Contains("ada@example.com", await kubectl.RunAsync($"get uws -n {ns}"), StringComparison.Ordinal);

        var watch = kubectl.Start($"get uws -n {ns} -w");
        try
        {
            await Kubectl.LineAsync(watch, "NAME", "OWNER", "PHASE");
            await Kubectl.LineAsync(watch, "sample", "Running");
            const string Ready =
                """{"type":"Ready","status":"True","reason":"Up","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}""";
            const string Status = $$$"""{"status":{"phase":"Starting","conditions":[{{{Ready}}}]}}""";
            await kubectl.RunAsync($"patch uws sample -n {ns} --subresource=status --type=merge -p {Status}");
            await Kubectl.LineAsync(watch, "sample", "Starting");
            await kubectl.RunAsync($"wait uws/sample -n {ns} --for=condition=Ready --timeout=60s");

            var described = await kubectl.RunAsync($"describe uws sample -n {ns}");
            Assert.Contains("https://id.example.com/", described, StringComparison.Ordinal);
            Assert.Contains("desiredState", await kubectl.RunAsync("explain userworkspace.spec"), StringComparison.Ordinal);
            Assert.Contains("edited", await kubectl.RunAsync($"edit uws sample -n {ns}", editor: "sed -i s/Running/Stopped/"),
                StringComparison.Ordinal);
            await Kubectl.LineAsync(watch, "sample", "Stopped");
            Assert.Contains("desiredState: Stopped", await kubectl.RunAsync($"get uws sample -n {ns} -o yaml"), StringComparison.Ordinal);

            await kubectl.RunAsync($"apply -n {ns} --server-side --force-conflicts -f {manifest}");
            await Kubectl.LineAsync(watch, "sample", "Running");
            var wrong = kubectl.Write("wrong.yaml", Workspace.Replace("desiredState", "desiredStat", StringComparison.Ordinal));
            await kubectl.RunAsync($"apply -n {ns} -f {wrong}", expected: 1);
            await kubectl.RunAsync($"delete uws sample -n {ns} --timeout=60s");
        }
        finally
        {
            Kubectl.End(watch);
        }
        await kubectl.RunAsync($"get uws sample -n {ns}", expected: 1);
    }

    [SkippableTheory, MemberData(nameof(Versions))]
    public async Task Kubectl_Logs_FollowAndPrevious(string version)
    {
        Skip.If(version.Length == 0, "kubectl is not on PATH");
        using var kubectl = new Kubectl(Kubectl.All()[version]);
        await kubectl.ConnectAsync(fixture.Api.Server);
        var pod = "p" + Guid.NewGuid().ToString("N")[..8];
        var go = Path.Combine(kubectl.Folder, "go");
        var once = Path.Combine(kubectl.Folder, "once");
        var manifest = kubectl.Write("pod.yaml", $$"""
            apiVersion: v1
            kind: Pod
            metadata: { name: {{pod}} }
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: sh
                args:
                - |
                  if [ ! -e {{once}} ]; then touch {{once}}; echo first life; exit 3; fi
                  echo second life
                  while [ ! -e {{go}} ]; do sleep 0.05; done
                  echo and on
                  sleep 1000
            """);
        await kubectl.RunAsync($"apply -f {manifest}");
        await kubectl.RunAsync($"wait pod/{pod} --for=jsonpath={{.status.containerStatuses[0].restartCount}}=1 --timeout=60s");
        await kubectl.RunAsync($"wait pod/{pod} --for=condition=Ready --timeout=60s");
        var follow = kubectl.Start($"logs -f {pod}");
        try
        {
            await Kubectl.LineAsync(follow, "second life");
            Assert.Equal("first life\n", await kubectl.RunAsync($"logs {pod} --previous"));
            await File.WriteAllTextAsync(go, "");
            await Kubectl.LineAsync(follow, "and on");
            Assert.Equal("and on\n", await kubectl.RunAsync($"logs {pod} --tail=1"));
            await kubectl.RunAsync($"logs {pod} -c other", expected: 1);
            await kubectl.RunAsync($"delete pod {pod} --timeout=60s");
            await follow.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        }
        finally
        {
            Kubectl.End(follow);
        }
    }
}
