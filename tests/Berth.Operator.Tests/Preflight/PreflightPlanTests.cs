using Berth.Operator.Preflight;
using Testing;

namespace Berth.Operator.Tests.Preflight;

public sealed class PreflightPlanTests
{
    [Fact]
    public void From_NothingThatIsNeeded_NamesAllOfIt()
    {
        var error = Assert.Throws<OperatorConfigurationException>(() => PreflightPlan.From([], "berth", "1.0"));

        Assert.Equal(["publicOrigin", "workspaceDomain", "issuers"], error.Problems.Select(p => p.Split(' ')[0]));
    }

    [Fact]
    public void From_TheChartsOwnValues_FindsWhatTheyName()
    {
        // The names are the chart's: a value that is renamed there has to be renamed here.
        var chart = Checkout.Path("charts", "berth");
        var values = ChartValues.Read([Path.Combine(chart, "values.yaml"), Path.Combine(chart, "values-dev.yaml")]);

        var plan = PreflightPlan.From(values, "berth", "1.0");

        Assert.Equal("berth-workspaces", plan.WorkspacesNamespace);
        Assert.True(plan.BundledDatabase);
        Assert.False(plan.UsesTraefik);
        Assert.True(plan.NeedsDefaultStorageClass);
        Assert.Equal(["berth-operator:dev", "berth-edge:dev", "berth-postgres:dev", "berth-studio:dev"], plan.Images);
        Assert.NotEmpty(plan.Issuers);
    }

    [Fact]
    public void From_RegistryDigestAndVersion_NamesImagesAsTheChartDoes()
    {
        var plan = PreflightPlan.From(
            ChartValues.Parse(
                """
                publicOrigin: https://berth.example.com
                workspaceDomain: workspaces.example.dev
                issuers: [{ issuer: "https://idp.example.com/", clientSecretRef: { name: oidc, key: secret } }]
                image: { registry: registry.example.org/berth/, pullSecrets: [pull] }
                operator: { image: { repository: berth-operator } }
                edge: { image: { registry: other.example.org, repository: berth-edge, tag: "2", digest: "sha256:ab" } }
                templates: { web: { image: "nginx:1", storage: { storageClassName: fast } } }
                tls: { mode: certManager, certManager: { issuerRef: { name: letsencrypt } } }
                """,
                "test"),
            "berth",
            "1.0");

        Assert.Equal(["registry.example.org/berth/berth-operator:1.0", "other.example.org/berth-edge@sha256:ab", "nginx:1"], plan.Images);
        Assert.Equal([("oidc", "secret", "issuers[0].clientSecretRef"), ("pull", null, "image.pullSecrets")], plan.Secrets);
        Assert.Equal(["fast"], plan.StorageClasses);
        Assert.False(plan.NeedsDefaultStorageClass);
        Assert.Equal(("ClusterIssuer", "letsencrypt"), plan.CertificateIssuer);
    }

    [Theory]
    [InlineData(
        "{ mode: bundled, bundled: { existingSecret: own, existingEdgeSecret: own-edge }, migration: { passwordSecret: { name: unused } } }",
        "own password database.bundled.existingSecret", "own-edge password database.bundled.existingEdgeSecret")]
    [InlineData(
        "{ mode: external, external: { passwordSecret: { name: db, key: p } }, migration: { passwordSecret: { name: owner, key: q } } }",
        "db p database.external.passwordSecret", "owner q database.migration.passwordSecret")]
    public void From_DatabaseWithSecretsOfItsOwn_AsksForThem(string database, params string[] expected)
    {
        const string Others = """
            publicOrigin: https://berth.example.com
            workspaceDomain: workspaces.example.dev
            issuers: [{ issuer: "https://idp.example.com/" }]
            """;

        var plan = PreflightPlan.From(ChartValues.Parse($"{Others}\ndatabase: {database}", "test"), "berth", "1.0");

        Assert.Equal(expected, plan.Secrets.Select(s => $"{s.Name} {s.Entry} {s.For}"));
    }
}
