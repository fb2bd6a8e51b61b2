using System.Security.Cryptography;
using System.Text;
using Kube.Client;
using Kube.Client.Models;

namespace Berth.Edge.Tests.Commands;

public sealed class SecretsCommandTests
{
    private static readonly string[] Entries = ["session-1=key", "identity-1=p256", "db=password"];
    private readonly FakeKube _kube = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    [Fact]
    public async Task Run_NoSecret_MakesEveryEntryOfItsKind()
    {
        Assert.Equal(0, await RunAsync("berth-keys", Entries));

        var data = Data("berth-keys");
        Assert.Equal(32, Convert.FromBase64String(data["session-1"]).Length);
        using var key = ECDsa.Create();
        key.ImportFromPem(data["identity-1"]);
        Assert.Equal(256, key.KeySize);
        Assert.Matches("^[A-Za-z0-9]{32}$", data["db"]);
        Assert.Equal(Entries.Length, data.Count);
    }

    [Fact]
    public async Task Run_Twice_MakesDifferentKeysForDifferentSecrets()
    {
        await RunAsync("one", Entries);
        await RunAsync("two", Entries);
        Assert.All(Data("one"), e => Assert.NotEqual(e.Value, Data("two")[e.Key]));
    }

    // A key that changed would sign everybody out, or make the vault unreadable.
    [Fact]
    public async Task Run_SomeEntriesThere_AddsTheOthersAndChangesNone()
    {
        await RunAsync("berth-keys", "session-1=key");
        var before = Data("berth-keys")["session-1"];

        Assert.Equal(0, await RunAsync("berth-keys", "session-2=key", "session-1=key"));

        Assert.Equal(before, Data("berth-keys")["session-1"]);
        Assert.Equal(32, Convert.FromBase64String(Data("berth-keys")["session-2"]).Length);
        Assert.Contains("made session-2.", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_EverythingThere_WritesNothing()
    {
        await RunAsync("berth-keys", Entries);
        var writes = _kube.Writes.Count;
        Assert.Equal(0, await RunAsync("berth-keys", Entries));
        Assert.Equal(writes, _kube.Writes.Count);
        Assert.Contains("nothing was changed", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SomebodyElseMadeItMeanwhile_TheirsCounts()
    {
        _kube.Fail = (verb, _) =>
        {
            if (verb == "create")
            {
                _kube.Fail = (_, _) => null;
                _kube.Put(new Secret
                {
                    Metadata = new ObjectMeta { Name = "berth-keys", Namespace = "berth" },
                    Data = new Dictionary<string, byte[]> { ["session-1"] = "theirs"u8.ToArray() },
                });
            }

            return null;
        };
        Assert.Equal(0, await RunAsync("berth-keys", Entries));
        Assert.Equal("theirs", Data("berth-keys")["session-1"]);
        Assert.Equal(Entries.Length, Data("berth-keys").Count);
    }

    [Fact]
    public async Task Run_SomebodyElseChangedItMeanwhile_LooksAgain()
    {
        await RunAsync("berth-keys", "session-1=key");
        var failures = 2;
        _kube.Fail = (verb, _) => verb == "patch" && failures-- > 0 ? FakeKube.Error(409, "Conflict", "the object has been modified") : null;
        Assert.Equal(0, await RunAsync("berth-keys", Entries));
        Assert.Equal(Entries.Length, Data("berth-keys").Count);
    }

    [Fact]
    public async Task Run_RightsMissing_OneWithTheReason()
    {
        _kube.Fail = (_, _) => FakeKube.Error(403, "Forbidden", "secrets is forbidden");
        Assert.Equal(1, await RunAsync("berth-keys", Entries));
        Assert.Contains("berth/berth-keys", _errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("forbidden", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Always_PrintsNoValue()
    {
        await RunAsync("berth-keys", Entries);
        Assert.All(Data("berth-keys").Values, v =>
            Assert.DoesNotContain(v.Trim(), _output.ToString() + _errors, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData]
    [InlineData("berth-keys")]
    [InlineData("berth-keys", "session-1")]
    [InlineData("berth-keys", "session-1=rsa")]
    [InlineData("berth-keys", "a/b=key")]
    [InlineData("berth-keys", "a=key", "a=key")]
    [InlineData("--namespace", "berth", "a=key")]
    [InlineData("berth-keys", "a=key", "--namespace")]
    public async Task Run_ArgumentsItCannotUse_TwoWithTheUsage(params string[] args)
    {
        Assert.Equal(2, await RunAsync(args));
        Assert.StartsWith("Usage:", _errors.ToString(), StringComparison.Ordinal);
        Assert.Empty(_kube.Writes);
    }

    private Task<int> RunAsync(string name, params string[] rest) => RunAsync([name, .. rest]);

    private Task<int> RunAsync(string[] args) => SecretsCommand.RunAsync(args, () => (_kube, "berth"), _output, _errors, default);

    private Dictionary<string, string> Data(string name) =>
        _kube.Find<Secret>(name)!.Data!.ToDictionary(e => e.Key, e => Encoding.UTF8.GetString(e.Value));
}
