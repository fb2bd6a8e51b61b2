using System.Runtime.Versioning;

namespace Delivery.Tests;

/// <summary>src/deploy/deploy, with programs that write down how they were called.</summary>
[SupportedOSPlatform("linux")]
public sealed class DeployScriptTests : IDisposable
{
    private const string Helm = """
        case "$*" in
            version*) echo v3.19.0 ;;
            *template*) echo 'kind: List'; exit "${TEMPLATE:-0}" ;;
            *"history"*) cat "$HISTORY" 2>/dev/null || { echo "${HISTORY_ERROR:-Error: release: not found}" >&2; exit 1; } ;;
            *"get values"*) printf 'edge: {}\npublicOrigin: https://berth.example.com\n' ;;
            *upgrade*) exit "${UPGRADE:-0}" ;;
        esac
        """;

    private const string Kubectl = """
        case "$*" in
            version*) echo '  gitVersion: v1.33.1' ;;
            *current-context*) echo kind-test ;;
            *"config view"*) exit "${VIEW:-0}" ;;
            *"get deployments"*) [ -n "$NOTHING" ] || { echo deployment.apps/berth-edge; echo deployment.apps/berth-operator; }; exit "${GET:-0}" ;;
            *diff*) exit "${DIFF:-1}" ;;
        esac
        """;

    private readonly Stubs _stubs = new();
    private readonly Dictionary<string, string> _environment;

    public DeployScriptTests()
    {
        _stubs.Add("helm", Helm).Add("kubectl", Kubectl)
            .Add("Berth.Operator", "exit \"${PREFLIGHT:-0}\"", "tools").Add("Berth.Edge", "exit \"${SELF:-0}\"", "tools");
        File.WriteAllText(_stubs.In("values.yaml"), "publicOrigin: https://berth.example.com\n");
        _environment = new()
        {
            ["VALUES"] = _stubs.In("values.yaml"),
            ["BERTH_TOOLS"] = _stubs.In("tools"),
            ["RETRY_SECONDS"] = "0",
            ["HISTORY"] = _stubs.In("history"),
        };
    }

    public void Dispose() => _stubs.Dispose();

    [Fact]
    public async Task Deploy_FirstTime_AsksInstallsAndVerifies()
    {
        var (code, output, errors) = await RunAsync("deploy", ("TAG", "1.2.3"));

        Assert.True(code == 0, errors);
        Assert.Contains("is deployed", output, StringComparison.Ordinal);
        var order = new[] { "Berth.Operator preflight", "upgrade --install berth", "rollout status deployment.apps/berth-edge", "Berth.Edge selfcheck https://berth.example.com" }
            .Select(Index).ToList();
        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
        var upgrade = _stubs.Calls[Index("upgrade --install")];
        Assert.Contains($"--values {_stubs.In("values.yaml")}", upgrade, StringComparison.Ordinal);
        Assert.Contains("--kube-context kind-test", upgrade, StringComparison.Ordinal);
        Assert.Contains("--wait --wait-for-jobs", upgrade, StringComparison.Ordinal);
        Assert.Contains("edge.image.tag=1.2.3", upgrade, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("rollback", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_LastOneFailedToo_GoesBackToTheOneBeforeThat()
    {
        History(("1", "superseded"), ("2", "failed"), ("3", "pending-upgrade"));

        await RunAsync("deploy", ("UPGRADE", "1"));

        Assert.Contains(_stubs.Calls, c => c.Contains("rollback berth 1 --wait", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SELF")]
    [InlineData("UPGRADE")]
    public async Task Deploy_WhatCameOfItIsNotWell_GoesBackAndFails(string broken)
    {
        History(("1", "superseded"), ("2", "failed"), ("3", "deployed"));

        var (code, _, errors) = await RunAsync("deploy", (broken, "1"));

        Assert.Equal(1, code);
        Assert.Contains("helm --namespace berth --kube-context kind-test rollback berth 3 --wait --timeout 10m", _stubs.Calls);
        Assert.Contains("revision 3 is back", errors, StringComparison.Ordinal);
        Assert.Equal(broken == "SELF" ? 3 : 0, _stubs.Calls.Count(c => c.StartsWith("Berth.Edge selfcheck", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Deploy_FirstTimeFails_LeavesItForALook()
    {
        var (code, _, errors) = await RunAsync("deploy", ("UPGRADE", "1"));

        Assert.Equal(1, code);
        Assert.Contains("no revision to go back to", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("rollback", StringComparison.Ordinal) || c.Contains(" uninstall ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_PreflightFails_ChangesNothing()
    {
        var (code, _, errors) = await RunAsync("deploy", ("PREFLIGHT", "1"));

        Assert.Equal(1, code);
        Assert.Contains("nothing was changed", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("upgrade", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 0)]
    [InlineData("2", 1)]
    public async Task Deploy_DryRun_ShowsTheDifferenceAndChangesNothing(string diff, int expected)
    {
        History(("1", "deployed"));

        var (code, _, _) = await RunAsync("deploy", ("DRY_RUN", "1"), ("DIFF", diff));

        Assert.Equal(expected, code);
        Assert.Contains(_stubs.Calls, c => c.Contains(" diff --server-side", StringComparison.Ordinal));
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("upgrade --install", StringComparison.Ordinal));
    }

    // Namespace and definitions are not there: a comparison would fail, and with it the first deployment by a pipeline.
    [Fact]
    public async Task Deploy_DryRunBeforeTheFirstTime_SaysWhatWouldBeMade()
    {
        var (code, output, errors) = await RunAsync("deploy", ("DRY_RUN", "1"), ("DIFF", "2"));

        Assert.True(code == 0, errors);
        Assert.Contains("1 List", output, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains(" diff ", StringComparison.Ordinal) || c.Contains("--validate", StringComparison.Ordinal));
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("upgrade --install", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_HistoryCannotBeRead_ChangesNothing()
    {
        var (code, _, errors) = await RunAsync("deploy", ("HISTORY_ERROR", "Error: the server is away"));

        Assert.Equal(1, code);
        Assert.Contains("the server is away", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("upgrade", StringComparison.Ordinal));
    }

    // Helm's own failure has the exit code that the comparison has for differences.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deploy_DryRunOfWhatCannotBeRendered_Fails(bool isThere)
    {
        if (isThere)
        {
            History(("1", "deployed"));
        }

        var (code, _, errors) = await RunAsync("deploy", ("DRY_RUN", "1"), ("TEMPLATE", "1"));

        Assert.Equal(1, code);
        Assert.Contains("cannot be rendered", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "not all replicas are ready")]
    [InlineData("NOTHING", "nothing that belongs to the release")]
    public async Task Verify_WhatIsThereCannotBeListed_IsNotWell(string name, string expected)
    {
        var (code, _, errors) = await RunAsync("verify", (name, "1"));

        Assert.Equal(1, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.StartsWith("Berth.Edge selfcheck", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_KubeconfigCannotBeRead_AsksAndChangesNothing()
    {
        Assert.Equal(1, (await RunAsync("deploy", ("VIEW", "1"))).Code);
        Assert.DoesNotContain(_stubs.Calls, c => c.StartsWith("Berth.Operator", StringComparison.Ordinal) || c.Contains("upgrade", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("prod")]
    [InlineData("production")]
    public async Task Deploy_ProductionWithoutConfirmation_IsRefused(string environment)
    {
        var (code, _, errors) = await _stubs.RunAsync("src/deploy/deploy", ["deploy", environment], _environment);

        Assert.Equal(1, code);
        Assert.Contains($"CONFIRM={environment}", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("upgrade", StringComparison.Ordinal));

        _environment["CONFIRM"] = environment;
        Assert.Equal(0, (await _stubs.RunAsync("src/deploy/deploy", ["deploy", environment], _environment)).Code);
    }

    [Fact]
    public async Task Rollback_NothingSaid_TakesTheOneBefore()
    {
        History(("1", "superseded"), ("2", "superseded"), ("3", "failed"), ("4", "deployed"));

        Assert.Equal(0, (await RunAsync("rollback")).Code);

        Assert.Contains(_stubs.Calls, c => c.Contains("rollback berth 2 --wait", StringComparison.Ordinal));
        Assert.Contains(_stubs.Calls, c => c.StartsWith("Berth.Edge selfcheck", StringComparison.Ordinal));
    }

    // The revision with the next lower number is the one that was gone back from: it would be installed again.
    [Theory]
    [InlineData("1", "1 superseded", "2 superseded", "3 superseded", "4 deployed Rollback to 2")]
    [InlineData("1", "1 superseded", "2 superseded", "3 superseded", "4 superseded Rollback to 2", "5 failed", "6 deployed Rollback to 4")]
    [InlineData("4", "1 superseded", "2 superseded", "3 superseded", "4 superseded Rollback to 2", "5 deployed")]
    public async Task Rollback_AfterGoingBack_TakesTheOneBeforeWhatWasGoneBackTo(string expected, params string[] history)
    {
        History([.. history.Select(h => h.Split(' ', 3)).Select(h => (h[0], h[1], h.Length > 2 ? h[2] : "Upgrade complete"))]);

        Assert.Equal(0, (await RunAsync("rollback")).Code);

        Assert.Contains(_stubs.Calls, c => c.Contains($"rollback berth {expected} --wait", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_DescriptionThatNamesAStatus_IsNoStatus()
    {
        History(("1", "superseded", "Install complete"), ("2", "failed", "Upgrade failed: what is deployed is not ready"));

        await RunAsync("deploy", ("UPGRADE", "1"));

        Assert.Contains(_stubs.Calls, c => c.Contains("rollback berth 1 --wait", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rollback_NothingBefore_SaysSo()
    {
        History(("1", "deployed"));

        var (code, _, errors) = await RunAsync("rollback");

        Assert.Equal(1, code);
        Assert.Contains("no revision to go back to", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TAG", "a b", "which no image can have")]
    [InlineData("VALUES", "/nowhere.yaml", "cannot be read")]
    public async Task Deploy_WrongSetting_IsNamed(string name, string value, string expected)
    {
        var (code, _, errors) = await RunAsync("deploy", (name, value));

        Assert.Equal(1, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.DoesNotContain(_stubs.Calls, c => c.Contains("upgrade", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deploy_OldHelm_SaysWhichIsNeeded()
    {
        _stubs.Add("helm", "echo v3.2.0");

        var (code, _, errors) = await RunAsync("deploy");

        Assert.Equal(1, code);
        Assert.Contains("helm is v3.2.0 and has to be 3.8 or later", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_NoContext_SaysWhatToSet()
    {
        _stubs.Add("kubectl", "case \"$*\" in version*) echo '  gitVersion: v1.33.1' ;; *) exit 1 ;; esac");

        Assert.Contains("set KUBECONFIG or CONTEXT", (await RunAsync("deploy")).Errors, StringComparison.Ordinal);
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(string command, params (string Name, string Value)[] more)
    {
        foreach (var (name, value) in more)
        {
            _environment[name] = value;
        }

        return _stubs.RunAsync("src/deploy/deploy", [command, "staging"], _environment);
    }

    private int Index(string part) => _stubs.Calls.ToList().FindIndex(c => c.Contains(part, StringComparison.Ordinal));

    private void History(params (string Revision, string Status)[] revisions) =>
        History([.. revisions.Select(r => (r.Revision, r.Status, "Upgrade complete"))]);

    // As `helm history` prints it.
    private void History(params (string Revision, string Status, string Description)[] revisions) => File.WriteAllLines(
        _stubs.In("history"),
        ["REVISION\tUPDATED                 \tSTATUS    \tCHART      \tAPP VERSION\tDESCRIPTION",
            .. revisions.Select(r => $"{r.Revision}       \tMon Nov 17 10:00:00 2025\t{r.Status}\tberth-0.1.0\t0.1.0      \t{r.Description}")]);
}
