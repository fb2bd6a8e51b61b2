using System.Text.Json.Nodes;
using Testing;

namespace Berth.Chart.Tests;

/// <summary>Installing, upgrading and uninstalling: by Helm, and by rendering and applying, where hooks are ordinary objects.</summary>
public sealed class LifecycleTests
{
    public static TheoryData<string> Sets => ValueSets.Names;

    [Fact]
    public void Crds_OfTheChart_AreThoseOfTheRepository()
    {
        var own = Directory.GetFiles(Path.Combine(Chart.Folder, "crds"));
        var theirs = Directory.GetFiles(Checkout.Path("crds"));
        Assert.Equal(theirs.Select(Path.GetFileName).Order(), own.Select(Path.GetFileName).Order());
        Assert.All(theirs, f => Assert.True(File.ReadAllText(f) == Chart.ReadFile("crds", Path.GetFileName(f)),
            $"charts/berth/crds/{Path.GetFileName(f)} is not crds/{Path.GetFileName(f)}: run 'make crds'."));
    }

    // Helm deletes what is in templates/ at an uninstall; with the definitions all workspaces would go.
    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Crds_AreInNoTemplate(string set) => Assert.Empty(ValueSets.Render(set).Of("CustomResourceDefinition"));

    [SkippableFact]
    public void Crds_AreBroughtUpToDate_BeforeAnUpgradeAndNotAtAnInstallation()
    {
        Assert.DoesNotContain(ValueSets.Render("prod").All, m => m.Name().Contains("definitions", StringComparison.Ordinal));
        Assert.DoesNotContain(Chart.Render(new RenderOptions { IsUpgrade = true }, Chart.Required, "crds: {upgrade: false}").All,
            m => m.Name().Contains("definitions", StringComparison.Ordinal));
        var hook = ValueSets.Render("prod-upgrade").All.Where(m => m.Name().Contains("definitions", StringComparison.Ordinal)).ToList();
        Assert.Equal(["ClusterRole", "ClusterRoleBinding", "Job", "ServiceAccount"], hook.Select(m => m.Kind()).Order());
        Assert.All(hook, m => Assert.Equal("pre-upgrade", Annotation(m, "helm.sh/hook")));

        // The right to change definitions is there as long as the hook runs.
        Assert.All(hook, m => Assert.Contains("hook-succeeded", Annotation(m, "helm.sh/hook-delete-policy"), StringComparison.Ordinal));
        Assert.All(hook.Where(m => m.Kind() != "Job"), m => Assert.True(int.Parse(Annotation(m, "helm.sh/hook-weight")!, null) < -5));
        var rules = hook.Single(m => m.Kind() == "ClusterRole")["rules"]!.AsArray();
        var crds = Directory.GetFiles(Path.Combine(Chart.Folder, "crds")).Select(f => YamlJson.ReadOne(File.ReadAllText(f)).Name()).Order();
        Assert.Equal(crds, rules[1]!["resourceNames"].Strings().Order());
        Assert.DoesNotContain("delete", rules.SelectMany(r => r!["verbs"].Strings()));
    }

    [SkippableFact]
    public void Crds_ForOldClusters_AreAppliedWithoutTheRulesTheyDoNotKnow()
    {
        Assert.Equal(["crds", "--apply"], Arguments(ValueSets.Render("prod-upgrade")));
        Assert.Equal(["crds", "--apply", "--without-cel"], Arguments(ValueSets.Render("prod-1.20")));

        static string[] Arguments(Manifests manifests) =>
            manifests.Containers().Single(c =>
                c.Owner.StartsWith("Job berth-definitions", StringComparison.Ordinal)).Container["args"].Strings();
    }

    // The only other hook is the test: what an installation needs must also be there where nobody knows hooks.
    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Hooks_AreTheTestAndTheUpgradeOfDefinitions(string set)
    {
        var hooks = ValueSets.Render(set).All.Where(m => Annotation(m, "helm.sh/hook") is not null)
            .Where(m => !m.Name().Contains("definitions", StringComparison.Ordinal));
        Assert.Equal("test", Annotation(Assert.Single(hooks), "helm.sh/hook"));
    }

    // Neither Jobs nor Pods can be changed: their names change with them, and with nothing else.
    [SkippableFact]
    public void Jobs_HaveAnotherName_WhenAndOnlyWhenTheyAreAnotherJob()
    {
        var names = Names();
        Assert.Equal(names, Names("operator: {replicas: 3}"));
        Assert.NotEqual(names[0], Names("edge: {image: {tag: '9.9.9'}}")[0]);
        Assert.NotEqual(names[1], Names("secrets: {session: [session-1, session-2]}")[1]);
        Assert.Equal(names[0], Names("secrets: {session: [session-1, session-2]}")[0]);
        Assert.NotEqual(names[0], Names("jobs: {revision: again}")[0]);
        Assert.NotEqual(names[1], Names("jobs: {revision: again}")[1]);
        Assert.NotEqual(names[2], Names("publicOrigin: https://other.example.com")[2]);

        static string[] Names(params string[] values)
        {
            var manifests = Chart.Render(values);
            return [.. ((string[])["berth-migrate-", "berth-secrets-", "berth-test-"]).Select(prefix =>
                manifests.All.Single(m => m.Kind() is "Job" or "Pod" && m.Name().StartsWith(prefix, StringComparison.Ordinal)).Name())];
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Jobs_TryAgainAndAreClearedAway(string set) => Assert.All(ValueSets.Render(set).Of("Job"), job =>
    {
        Assert.Equal("OnFailure", (string?)job["spec"]!["template"]!["spec"]!["restartPolicy"]);
        Assert.True((int)job["spec"]!["backoffLimit"]! >= 5);
        Assert.Equal(86400, (int)job["spec"]!["ttlSecondsAfterFinished"]!);
    });

    [SkippableFact]
    public void Jobs_MayStay() =>
        Assert.All(Chart.Render("jobs: {ttlSeconds: null}").Of("Job"), j => Assert.Null(j["spec"]!["ttlSecondsAfterFinished"]));

    [SkippableFact]
    public void Uninstall_LeavesTheNamespaceWithPeoplesVolumes()
    {
        var ns = ValueSets.Render("required").One("Namespace", Chart.Workspaces);
        Assert.Equal("keep", Annotation(ns, "helm.sh/resource-policy"));
        Assert.Equal("keep", ns.Labels()["berth.dev/uninstall"]);
    }

    // Keys that Helm made would be in its record of the release, and would go with it.
    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Keys_AreInNoManifest(string set) =>
        Assert.DoesNotContain(ValueSets.Render(set).Of("Secret"), s => s.Name() != "berth-clients");

    [SkippableFact]
    public void Password_OfTheBundledDatabase_IsMadeApartFromTheKeys()
    {
        var job = ValueSets.Render("dev").Containers().Where(c => c.Owner.StartsWith("Job berth-secrets", StringComparison.Ordinal))
            .Select(c => c.Container["args"].Strings()).ToList();
        Assert.Contains(job, a => a.SequenceEqual(["secrets", "berth-postgres", "password=password"]));
        Assert.Contains(job, a => a.SequenceEqual(["secrets", "berth-postgres-edge", "password=password"]));
        Assert.Contains(job, a => a[1] == "berth-keys" && !a.Any(e => e.StartsWith("password", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void OwnSecrets_NeedNoJob()
    {
        var manifests = ValueSets.Render("bundled-own-secrets");
        Assert.DoesNotContain(manifests.Of("Job"), j => j.Name().StartsWith("berth-secrets", StringComparison.Ordinal));
        Assert.DoesNotContain(manifests.Of("Role"), r => r.Name() == "berth-secrets");
        var password = manifests.One("StatefulSet", "berth-postgres")["spec"]!["template"]!["spec"]!["volumes"]!.AsArray()
            .Single(v => (string)v!["name"]! == "password");
        Assert.Equal("my-postgres", (string?)password!["secret"]!["secretName"]);
        Assert.Equal("my-edge", PasswordOf(manifests, "Deployment berth-edge", "PGPASSWORD"));
    }

    // Who made the Secret of an earlier version of the chart has not made that of the edge's role, and need not.
    [SkippableFact]
    public void OwnSecret_OfTheOwnerAlone_TheEdgesIsMade()
    {
        var values = ValueSets.All["bundled-own-secrets"].Values[1].Replace(", existingEdgeSecret: my-edge", "", StringComparison.Ordinal);
        var manifests = Chart.Render(values);
        var made = Assert.Single(manifests.Containers(), c => c.Owner.StartsWith("Job berth-secrets", StringComparison.Ordinal)).Container;
        Assert.Equal(["secrets", "berth-postgres-edge", "password=password"], made["args"].Strings());
        var rights = manifests.One("Role", "berth-secrets")["rules"]![1]!;
        Assert.Equal(["berth-postgres-edge"], rights["resourceNames"].Strings());
    }

    [SkippableFact]
    public void Bundled_Edge_SignsInAsARoleThatTheMigrationMakes()
    {
        var manifests = ValueSets.Render("dev");

        Assert.Contains("Username=berth_edge_login;",
            manifests.Environment("Deployment", "berth-edge")["Berth__Edge__Database__ConnectionString"], StringComparison.Ordinal);
        Assert.Equal("berth-postgres-edge", PasswordOf(manifests, "Deployment berth-edge", "PGPASSWORD"));
        var (owner, migrate) = manifests.Containers().Single(c => c.Owner.StartsWith("Job berth-migrate", StringComparison.Ordinal));
        Assert.Equal(["migrate", "--roles", "berth", "--login", "berth_edge_login"], migrate["args"].Strings());
        Assert.Contains("Username=berth;", (string)migrate["env"]![0]!["value"]!, StringComparison.Ordinal);
        Assert.Equal("berth-postgres", PasswordOf(manifests, owner, "PGPASSWORD"));
        Assert.Equal("berth-postgres-edge", PasswordOf(manifests, owner, "BERTH_LOGIN_PASSWORD"));

        // The server itself is as it was in charts before: its volume has that owner and that password.
        Assert.Equal("berth", manifests.Environment("StatefulSet", "berth-postgres")["POSTGRES_USER"]);
    }

    [SkippableFact]
    public void Bundled_EdgeThatMigratesItself_SignsInAsTheOwner()
    {
        var manifests = Chart.Render("database: {mode: bundled, external: {host: ''}, migration: {enabled: false}}");
        Assert.Contains("Username=berth;",
            manifests.Environment("Deployment", "berth-edge")["Berth__Edge__Database__ConnectionString"], StringComparison.Ordinal);
        Assert.Equal("berth-postgres", PasswordOf(manifests, "Deployment berth-edge", "PGPASSWORD"));
        Assert.DoesNotContain(manifests.Containers(), c => c.Container["args"].Strings().Contains("berth-postgres-edge"));
    }

    [SkippableFact]
    public void Migration_HasRightsOfItsOwn_AndTheEdgeDoesNotMigrate()
    {
        var manifests = ValueSets.Render("prod");
        var (_, migrate) = manifests.Containers().Single(c => c.Owner.StartsWith("Job berth-migrate", StringComparison.Ordinal));
        Assert.Equal(["migrate", "--roles", "berth"], migrate["args"].Strings());
        Assert.DoesNotContain(manifests.Containers(), c => c.Container["args"].Strings().Contains("berth-postgres-edge"));
        Assert.Contains("Username=berth_owner;", (string)migrate["env"]![0]!["value"]!, StringComparison.Ordinal);
        Assert.Equal("berth-database-owner", (string?)migrate["env"]![1]!["valueFrom"]!["secretKeyRef"]!["name"]);
        var edge = manifests.Environment("Deployment", "berth-edge");
        Assert.Equal("false", edge["Berth__Edge__Database__Migrate"]);
        Assert.Contains("Username=berth;", edge["Berth__Edge__Database__ConnectionString"], StringComparison.Ordinal);
        Assert.Contains("SSL Mode=VerifyFull;Root Certificate=/etc/berth/database/ca.crt",
            edge["Berth__Edge__Database__ConnectionString"], StringComparison.Ordinal);

        var without = Chart.Render("database: {migration: {enabled: false}}");
        Assert.DoesNotContain(without.Of("Job"), j => j.Name().StartsWith("berth-migrate", StringComparison.Ordinal));
        Assert.Equal("true", without.Environment("Deployment", "berth-edge")["Berth__Edge__Database__Migrate"]);
    }

    [SkippableFact]
    public void Notes_SayWhatIsToBeDone()
    {
        Skip.If(Chart.IsHelm, "helm template prints no notes.");
        var notes = ValueSets.Render("dev").Notes;
        Assert.All((string[])["http://localhost:30080/auth/callback", "get secret berth-keys", "bundled PostgreSQL is for trying out",
            "client secret of http://idp.localhost:4500"],
            text => Assert.Contains(text, notes, StringComparison.Ordinal));
        Assert.DoesNotContain("WARNING", ValueSets.Render("prod").Notes, StringComparison.Ordinal);
        Assert.Contains("allowCrossNamespace", ValueSets.Render("prod").Notes, StringComparison.Ordinal);
    }

    private static string? PasswordOf(Manifests manifests, string owner, string variable) =>
        (string?)manifests.Containers().Single(c => c.Owner.StartsWith(owner, StringComparison.Ordinal)).Container["env"]!.AsArray()
            .Single(e => (string?)e!["name"] == variable)!["valueFrom"]!["secretKeyRef"]!["name"];

    private static string? Annotation(JsonNode manifest, string name) => (string?)manifest["metadata"]!["annotations"]?[name];
}
