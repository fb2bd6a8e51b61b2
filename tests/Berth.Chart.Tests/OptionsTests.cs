using Berth.Accounts;
using Berth.Edge;
using Berth.Operator;
using Kube.Client;
using Kube.Client.Models;
using Kube.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Secret = Kube.Client.Models.Secret;

namespace Berth.Chart.Tests;

/// <summary>What the chart writes into the environment is what the programs read: their own readers and checks say so.</summary>
public sealed class OptionsTests
{
    public static TheoryData<string> Sets => ValueSets.Names;

    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public void Operator_Environment_IsKnownAndValid(string set)
    {
        var environment = ValueSets.Render(set).Environment("Deployment", "berth-operator");
        var (options, problems) = OptionsReader.Read(Configuration(environment));
        Assert.Empty(problems);
        OptionsChecker.Check(options, Chart.Namespace, problems);
        Assert.Contains(environment, e => e.Key == "Berth__Operator__PublicOrigin");
    }

    // The whole way: the Job's arguments make the Secret, the Deployment mounts its entries, the edge reads its options and the files
    // they name.
    [SkippableTheory]
    [MemberData(nameof(Sets))]
    public async Task Edge_EnvironmentAndFiles_AreKnownAndValid(string set)
    {
        var manifests = ValueSets.Render(set);
        var folder = Directory.CreateTempSubdirectory("berth-chart-tests-");
        try
        {
            await WriteMountedFilesAsync(manifests, folder.FullName);
            var environment = manifests.Environment("Deployment", "berth-edge");
            foreach (var (name, value) in environment.Where(e => e.Value.StartsWith("/etc/berth/", StringComparison.Ordinal)).ToList())
            {
                environment[name] = folder.FullName + value;
            }

            var options = BerthEdgeExtensions.ReadAndCheck(Configuration(environment));
            Assert.Equal(options.Database.ConnectionString is not null, options.Vault.Keys.Count > 0);
            if (options.Vault.Keys.Count > 0)
            {
                var problems = new List<string>();
                Assert.NotNull(VaultKeyRing.Create(options.Vault, File.ReadAllText, (name, text) => problems.Add($"{name} {text}")));
                Assert.Empty(problems);
            }

            Assert.Equal(8081, options.Management.Port);
            Assert.Equal("0.0.0.0", options.Management.Address);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [SkippableFact]
    public void Edge_TextWithDollars_ArrivesAsWritten()
    {
        var environment = ValueSets.Render("many-options").Environment("Deployment", "berth-edge");
        Assert.Equal("Work$(HOME)place $$5", environment["Berth__Edge__Pages__ProductName"]);
        Assert.Equal("1000000", environment["Berth__Edge__Limits__Address__Requests"]);
    }

    [SkippableFact]
    public void Edge_OptionsOfTheUser_WinOverTheCharts()
    {
        var edge = Chart.Render("edge: {options: {workspaces: {maximumPerPerson: 9}, pages: {productName: Works}}}")
            .Environment("Deployment", "berth-edge");
        Assert.Equal("9", edge["Berth__Edge__Workspaces__MaximumPerPerson"]);
        Assert.Equal("Works", edge["Berth__Edge__Pages__ProductName"]);
        Assert.Equal("studio", edge["Berth__Edge__Workspaces__DefaultTemplate"]);
    }

    [SkippableFact]
    public void Operator_KnowsTheEdge_ByTheNamesThatWereRendered()
    {
        var manifests = ValueSets.Render("required");
        var operatorEnvironment = manifests.Environment("Deployment", "berth-operator");
        var service = manifests.One("Service", operatorEnvironment["Berth__Operator__Edge__Service"]);
        Assert.Equal(operatorEnvironment["Berth__Operator__Edge__Namespace"], service.NamespaceOf());
        Assert.Equal(operatorEnvironment["Berth__Operator__Edge__Port"], service["spec"]!["ports"]![0]!["port"]!.ToString());
        var labels = manifests.One("Deployment", "berth-edge")["spec"]!["template"]!.Labels();
        Assert.All(operatorEnvironment["Berth__Operator__Edge__PodLabels"].Split(','), pair =>
            Assert.Equal(pair.Split('=')[1], labels[pair.Split('=')[0]]));
    }

    [SkippableFact]
    public void Both_LookAtTheSameNamespacePolicyAndDomain()
    {
        var manifests = Chart.Render("{workspaces: {namespace: people}, policy: {name: mine}}");
        var (edge, operatorEnvironment) = (manifests.Environment("Deployment", "berth-edge"),
            manifests.Environment("Deployment", "berth-operator"));
        Assert.Equal("people", edge["Berth__Edge__Workspaces__Namespace"]);
        Assert.Equal("people", operatorEnvironment["Berth__Operator__Namespace"]);
        Assert.Equal("mine", edge["Berth__Edge__Workspaces__PolicyName"]);
        Assert.Equal("mine", operatorEnvironment["Berth__Operator__PolicyName"]);
        Assert.Equal(edge["Berth__Edge__WorkspaceDomain"], operatorEnvironment["Berth__Operator__WorkspaceDomain"]);
    }

    [SkippableFact]
    public void Edge_GracePeriod_OutlastsTheDrain()
    {
        var manifests = Chart.Render("edge: {drain: {leadSeconds: 10, graceSeconds: 3600}}");
        var environment = manifests.Environment("Deployment", "berth-edge");
        var drain = new DrainOptions
        {
            Lead = TimeSpan.Parse(environment["Berth__Edge__Drain__Lead"], null),
            Grace = TimeSpan.Parse(environment["Berth__Edge__Drain__Grace"], null),
        };
        Assert.Equal(TimeSpan.FromHours(1), drain.Grace);
        var seconds = (int)manifests.One("Deployment", "berth-edge")["spec"]!["template"]!["spec"]!["terminationGracePeriodSeconds"]!;
        Assert.InRange(seconds, drain.Total.TotalSeconds + 1, drain.Total.TotalSeconds + 30);
    }

    private static IConfiguration Configuration(Dictionary<string, string> environment) => new ConfigurationBuilder()
        .AddInMemoryCollection(environment
            .Select(e => KeyValuePair.Create(e.Key.Replace("__", ":", StringComparison.Ordinal), (string?)e.Value)))
        .Build();

    private static async Task WriteMountedFilesAsync(Manifests manifests, string root)
    {
        var data = Directory.CreateTempSubdirectory("berth-chart-tests-api-");
        try
        {
            await using var server = await KubeServer.StartAsync(
                new KubeServerOptions { DataDirectory = data.FullName, FlushToDisk = false }, NullLoggerFactory.Instance,
                    TimeProvider.System);
            using var client = KubeClient.Create(KubeConfig.Parse(server.Kubeconfig));
            await client.CreateAsync(new Namespace { Metadata = new ObjectMeta { Name = Chart.Namespace } }, null, default);
            var pod = manifests.One("Deployment", "berth-edge")["spec"]!["template"]!["spec"]!;
            var mounted = pod["volumes"]!.AsArray().Single(v => (string)v!["name"]! == "keys")!["secret"]!;
            var secret = (string)mounted["secretName"]!;
            foreach (var arguments in SecretArguments(manifests, secret))
            {
                Assert.Equal(0, await SecretsCommand.RunAsync(
                    arguments, () => (KubeClient.Create(KubeConfig.Parse(server.Kubeconfig)), Chart.Namespace), TextWriter.Null,
                        Console.Error, default));
            }

            var made = await client.GetAsync<Secret>(Chart.Namespace, secret, default);
            Directory.CreateDirectory(root + "/etc/berth/keys");
            foreach (var item in mounted["items"]!.AsArray())
            {
                await File.WriteAllBytesAsync($"{root}/etc/berth/keys/{item!["path"]}", made.Data![(string)item["key"]!]);
            }

            var clients = pod["volumes"]!.AsArray().SingleOrDefault(v => (string)v!["name"]! == "clients")?["projected"]!["sources"]!
                .AsArray() ?? [];
            Directory.CreateDirectory(root + "/etc/berth/clients");
            foreach (var item in clients.SelectMany(s => s!["secret"]!["items"]!.AsArray()))
            {
                await File.WriteAllTextAsync($"{root}/etc/berth/clients/{item!["path"]}", "a client's secret");
            }
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    // Of a Secret that somebody else makes, the notes name the entries; here they are made from what is mounted.
    private static IEnumerable<string[]> SecretArguments(Manifests manifests, string secret)
    {
        var jobs = manifests.Containers().Where(c => c.Owner.Contains("-secrets-", StringComparison.Ordinal))
            .Select(c => c.Container["args"].Strings()).Where(a => a[1] == secret).ToList();
        if (jobs.Count > 0)
        {
            return jobs.Select(a => a[1..]);
        }

        var items = manifests.One("Deployment", "berth-edge")["spec"]!["template"]!["spec"]!["volumes"]!.AsArray()
            .Single(v => (string)v!["name"]! == "keys")!["secret"]!["items"]!.AsArray().Select(i => (string)i!["key"]!);
        Assert.All(items, i => Assert.Contains(i, manifests.Notes, StringComparison.Ordinal));
        return [[secret, .. items.Select(i => i.StartsWith('i') ? $"{i}=p256" : $"{i}=key")]];
    }
}
