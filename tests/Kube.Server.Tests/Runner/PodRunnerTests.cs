using System.Text.Json.Nodes;
using Kube.Server.Runner;

namespace Kube.Server.Tests.Runner;

public sealed class PodRunnerTests
{
    [Fact]
    public async Task Start_PlainPod_RunsWithStatusEventsAndLog()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "echo hello; sleep 1000");

        var pod = await runner.WaitRunningAsync("a");
        Assert.Equal("local", pod.Object("spec").Text("nodeName"));
        Assert.Equal("Running", pod.Object("status").Text("phase"));
        Assert.Equal("127.0.0.1", pod.Object("status").Text("podIP"));
        Assert.All(new[] { "Initialized", "Ready", "ContainersReady", "PodScheduled" }, t => Assert.Equal("True", Condition(pod, t)));
        Assert.StartsWith("process://", RunnerFixture.Container(pod).Text("containerID"), StringComparison.Ordinal);
        Assert.Equal(0, RunnerFixture.Container(pod).Number("restartCount"));
        await runner.WaitLogAsync("a", "hello");
        Assert.Equal("hello\n", await runner.LogAsync("a"));
        await runner.WaitEventAsync("Started", "Started container main");
        string[] reasons = [.. runner.Cluster.List(GroupResource.Events).Items.Select(e => e.Text("reason")!)];
        Assert.All(new[] { "Scheduled", "Pulled", "Created", "Started" }, r => Assert.Contains(r, reasons));
    }

    [Fact]
    public async Task Node_AfterStart_IsReadyWithCapacity()
    {
        await using var runner = await RunnerFixture.StartAsync();

        var node = runner.Cluster.Get(GroupResource.Nodes, null, "local")!;

        Assert.Contains(node.Object("status").Objects("conditions"), c => c.Text("type") == "Ready" && c.Text("status") == "True");
        Assert.NotNull(node.Object("status").Object("capacity").Text("memory"));
    }

    [Fact]
    public async Task Schedule_NodeSelectorMatchesNone_StaysPendingAndSaysSo()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "true", """ "nodeSelector":{"disk":"ssd"} """);

        await runner.WaitEventAsync("FailedScheduling", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.");
        var condition = runner.Pod("a").Object("status").Objects("conditions").Single(c => c.Text("type") == "PodScheduled");
        Assert.Equal(("False", "Unschedulable"), (condition.Text("status"), condition.Text("reason")));
        Assert.Null(runner.Pod("a").Object("spec").Text("nodeName"));
    }

    [Fact]
    public async Task Exit_PolicyNever_GivesSucceededOrFailedWithCodes()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("good", "exit 0", """ "restartPolicy":"Never" """);
        await runner.CreatePodAsync("bad", "exit 7", """ "restartPolicy":"Never" """);
        await runner.CreatePodAsync("killed", "kill -9 $$$$", """ "restartPolicy":"Never" """);

        var good = await runner.WaitPodAsync("good", p => p.Object("status").Text("phase") == "Succeeded", "Succeeded");
        var bad = await runner.WaitPodAsync("bad", p => p.Object("status").Text("phase") == "Failed", "Failed");
        var killed = await runner.WaitPodAsync("killed", p => p.Object("status").Text("phase") == "Failed", "Failed");
        Assert.Equal(("Completed", 0L), Ended(good));
        Assert.Equal(("Error", 7L), Ended(bad));
        Assert.Equal(("Error", 137L), Ended(killed));
        Assert.Equal(9, RunnerFixture.Container(killed).Object("state").Object("terminated").Number("signal"));
    }

    [Fact]
    public async Task Crash_PolicyAlways_BacksOffAndKeepsPreviousLog()
    {
        await using var runner = await RunnerFixture.StartAsync(change: o => o with { BackoffBase = TimeSpan.FromSeconds(20) });

        await runner.CreatePodAsync("a", "echo run; exit 3");

        var pod = await runner.WaitPodAsync("a", p =>
            RunnerFixture.Container(p).Object("state").Object("waiting").Text("reason") == "CrashLoopBackOff", "backoff");
        var container = RunnerFixture.Container(pod);
        Assert.Equal(1, container.Number("restartCount"));
        Assert.Equal(3, container.Object("lastState").Object("terminated").Number("exitCode"));
        Assert.StartsWith("back-off 20s restarting failed container=main pod=a_default(",
            container.Object("state").Object("waiting").Text("message"), StringComparison.Ordinal);
        Assert.Equal("Running", pod.Object("status").Text("phase"));
        Assert.Equal("False", Condition(pod, "Ready"));
        Assert.Equal("run\n", await runner.LogAsync("a", r => r with { Previous = true }));
        await runner.WaitEventAsync("BackOff", "Back-off restarting failed container main");
    }

    [Fact]
    public async Task InitContainers_RunInOrderBeforeTheRest()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "cat $F; sleep 1000", """
            "volumes":[{"name":"v","emptyDir":{}}],
            "initContainers":[
              {"name":"one","image":"sh","args":["echo 1 >> $F"],"env":[{"name":"F","value":"/v/f"}],"volumeMounts":[{"name":"v",
               "mountPath":"/v"}]},
              {"name":"two","image":"sh","args":["echo 2 >> $F"],"env":[{"name":"F","value":"/v/f"}],"volumeMounts":[{"name":"v",
               "mountPath":"/v"}]}]
            """, """ "env":[{"name":"F","value":"/v/f"}],"volumeMounts":[{"name":"v","mountPath":"/v"}] """);

        await runner.WaitRunningAsync("a");
        await runner.WaitLogAsync("a", "2");
        Assert.Equal("1\n2\n", await runner.LogAsync("a"));
        Assert.All(new[] { "one", "two" }, n =>
            Assert.Equal(0, RunnerFixture.Container(runner.Pod("a"), n).Object("state").Object("terminated").Number("exitCode")));
    }

    [Fact]
    public async Task FieldsOfThePod_AreFiles_InEveryContainerThatMountsThem_AndSidecarsKnowThePort()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreateAsync(GroupResource.Pods, """
            {"metadata":{"name":"a","annotations":{"p/x":"$(PORT) \"quoted\"\nline"}},"spec":{
              "volumes":[{"name":"v","downwardAPI":{"items":[{"path":"x","fieldRef":{"fieldPath":"metadata.annotations['p/x']"}}]}}],
              "initContainers":[{"name":"first","image":"sh","args":["cat $D/x"],"env":[{"name":"D","value":"/d"}],
                "volumeMounts":[{"name":"v","mountPath":"/d"}]}],
              "containers":[
                {"name":"main","image":"sh","args":["echo $PORT; sleep 1000"],"env":[{"name":"PORT","value":"8080"}],
                 "ports":[{"name":"http","containerPort":8080}]},
                {"name":"beside","image":"sh","args":["echo $PORT; sleep 1000"],"env":[{"name":"PORT","value":"8080"}]}]}}
            """);

        await runner.WaitPodAsync("a", p => Condition(p, "Ready") == "True", "ready");
        Assert.Equal("$(PORT) \"quoted\"\nline", (await runner.LogAsync("a", r => r with { Container = "first" })).TrimEnd('\n'));
        await runner.WaitLogAsync("a", "\n");
        var port = (await runner.LogAsync("a", r => r with { Container = "main" })).Trim();
        Assert.NotEqual("8080", port);
        Assert.Equal(port, (await runner.LogAsync("a", r => r with { Container = "beside" })).Trim());
    }

    [Fact]
    public async Task Image_NotInCatalog_BacksOffUntilItIsAdded()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreateAsync(GroupResource.Pods, """
            {"metadata":{"name":"a"},"spec":{"containers":[{"name":"main","image":"shop:1"}]}}
            """);

        await runner.WaitPodAsync("a", p => Waiting(p) is "ErrImagePull" or "ImagePullBackOff", "ErrImagePull");
        var pod = await runner.WaitPodAsync("a", p => Waiting(p) == "ImagePullBackOff", "ImagePullBackOff");
        Assert.Contains(runner.Catalog, RunnerFixture.Container(pod).Object("state").Object("waiting").Text("message"),
            StringComparison.Ordinal);
        Assert.Equal("Pending", pod.Object("status").Text("phase"));
        await runner.WaitEventAsync("Failed", "Failed to pull image \"shop:1\"");

        await File.AppendAllTextAsync(runner.Catalog, "shop:1: { command: [sleep, '1000'] }\n");

        await runner.WaitRunningAsync("a");
    }

    [Fact]
    public async Task Command_ThatDoesNotExist_IsStartErrorAndNotACrashOfTheRunner()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "x", """ "restartPolicy":"Never" """, """ "command":["no-such-program"] """);

        var pod = await runner.WaitPodAsync("a", p => p.Object("status").Text("phase") == "Failed", "Failed");
        var ended = RunnerFixture.Container(pod).Object("state").Object("terminated");
        Assert.Equal(("StartError", 127L), Ended(pod));
        Assert.Contains("no-such-program", ended.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Environment_OfTheProcess_IsCleanAndHoldsWhatIsDeclared()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.ConfigMaps, """{"metadata":{"name":"cm"},"data":{"color":"blue"}}""");
        await runner.CreateAsync(GroupResource.Secrets, """{"metadata":{"name":"s"},"data":{"key":"aHVzaA=="}}""");
        Environment.SetEnvironmentVariable("RUNNER_TEST_LEAK", "leaked");

        await runner.CreatePodAsync("a", "env; echo arg $1", containerExtra: """
            "command":["sh","-c"],
            "ports":[{"name":"http","containerPort":8080}],
            "envFrom":[{"prefix":"CM_","configMapRef":{"name":"cm"}}],
            "env":[{"name":"PORT","value":"8080"},{"name":"A","value":"x"},{"name":"B","value":"$(A)-$(NO)-$$(A)"},
                   {"name":"COLOR","valueFrom":{"configMapKeyRef":{"name":"cm","key":"color"}}},
                   {"name":"KEY","valueFrom":{"secretKeyRef":{"name":"s","key":"key"}}},
                   {"name":"ME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
                   {"name":"APP","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}}]
            """);

        var log = await runner.WaitLogAsync("a", "arg");
        var port = Kube.Server.Runner.Ports.PortAnnotation.Read(runner.Pod("a")!)["http"];
        Assert.All(new[] { $" PORT={port}\n", " B=x-$(NO)-$(A)\n", " CM_color=blue\n", " COLOR=blue\n", " KEY=hush\n", " ME=a\n",
            " APP=a\n", " LANG=C.UTF-8\n" },
            line => Assert.Contains(line, log, StringComparison.Ordinal));
        Assert.DoesNotContain("RUNNER_TEST_LEAK", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_MissingConfigMap_IsReportedAndRecovers()
    {
        await using var runner = await RunnerFixture.StartAsync();

        await runner.CreatePodAsync("a", "sleep 1000", containerExtra: """ "envFrom":[{"configMapRef":{"name":"later"}}] """);
        await runner.WaitPodAsync("a", p => Waiting(p) == "CreateContainerConfigError", "config error");
        await runner.WaitEventAsync("Failed", "configmap \"later\" not found");
        await runner.CreateAsync(GroupResource.ConfigMaps, """{"metadata":{"name":"later"},"data":{}}""");

        await runner.WaitRunningAsync("a");
    }

    [Fact]
    public async Task Delete_RunningPod_TerminatesAndRemovesObjectAndFolder()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreatePodAsync("a", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done");
        await runner.WaitLogAsync("a", "up");
        var uid = runner.Pod("a").Object("metadata").Text("uid")!;
        var temp = new FileInfo(Path.Combine(runner.Data, "runner", "pods", uid, "tmp")).LinkTarget!;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(temp));

        await runner.Cluster.DeleteAsync(GroupResource.Pods, "default", "a");

        await runner.WaitGoneAsync("a");
        await runner.WaitEventAsync("Killing", "Stopping container main");
        await runner.WaitAsync(() => [], _ =>
            !Directory.Exists(Path.Combine(runner.Data, "runner", "pods", uid)) && !Directory.Exists(temp), "folders gone");
    }

    [Fact]
    public async Task Delete_ProcessIgnoresTerm_IsKilledAfterGraceWithItsDescendants()
    {
        await using var runner = await RunnerFixture.StartAsync();
        // setsid: a descendant that left the process group, as a terminal does.
        await runner.CreatePodAsync("a", "trap '' TERM; setsid sleep 4321 & echo pid $!; while :; do sleep 0.1; done");
        await runner.WaitLogAsync("a", "pid");

        await runner.Cluster.DeleteAsync(GroupResource.Pods, "default", "a", new DeleteOptions { GracePeriodSeconds = 1 });

        await runner.WaitGoneAsync("a");
        Assert.Empty(Processes.With("sleep 4321"));
    }

    [Fact]
    public async Task PreStop_ExecHook_RunsBeforeTheSignal()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreateAsync(GroupResource.PersistentVolumeClaims, """
            {"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
            """);
        await runner.CreatePodAsync("a", "trap 'echo term >> $F; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            """ "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}] """,
            """
            "env":[{"name":"F","value":"/d/f"}],"volumeMounts":[{"name":"v","mountPath":"/d"}],
            "lifecycle":{"preStop":{"exec":{"command":["sh","-c","echo hook >> $F"]}}}
            """);
        await runner.WaitLogAsync("a", "up");

        await runner.Cluster.DeleteAsync(GroupResource.Pods, "default", "a");

        await runner.WaitGoneAsync("a");
        Assert.Equal("hook\nterm\n", await File.ReadAllTextAsync(Path.Combine(runner.Data, "volumes", "default", "c", "f")));
    }

    [Fact]
    public async Task Restart_OfTheRunner_EndsProcessesAndRunsPodsAgain()
    {
        await using var runner = await RunnerFixture.StartAsync();
        await runner.CreatePodAsync("a", "echo up; exec sleep 4322", containerExtra: """ "ports":[{"containerPort":80}] """);
        await runner.WaitLogAsync("a", "up");
        await runner.WaitRunningAsync("a");
        var port = Kube.Server.Runner.Ports.PortAnnotation.Read(runner.Pod("a")!)["80"];

        await runner.StopRunnerAsync();
        Assert.Empty(Processes.With("sleep 4322"));
        Assert.NotNull(RunnerFixture.Container(runner.Pod("a")).Object("state").Object("running"));
        await runner.StartRunnerAsync();

        var pod = await runner.WaitPodAsync("a", p => RunnerFixture.Container(p).Number("restartCount") == 1, "restarted");
        var last = RunnerFixture.Container(pod).Object("lastState").Object("terminated");
        Assert.Equal(("Unknown", 255L), (last.Text("reason"), last.Number("exitCode")));
        Assert.Equal(port, Kube.Server.Runner.Ports.PortAnnotation.Read(pod)["80"]);
    }

    private static string? Waiting(JsonObject pod) => RunnerFixture.Container(pod).Object("state").Object("waiting").Text("reason");

    private static string? Condition(JsonObject pod, string type) =>
        pod.Object("status").Objects("conditions").FirstOrDefault(c => c.Text("type") == type).Text("status");

    private static (string?, long?) Ended(JsonObject pod)
    {
        var ended = RunnerFixture.Container(pod).Object("state").Object("terminated");
        return (ended.Text("reason"), ended.Number("exitCode"));
    }
}
