using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Tests.JsonTexts;

/// <summary>Texts made to cost more than they weigh.</summary>
public sealed class HostileTextTests
{
    [Fact]
    public void Yaml_LongTextRepeatedByAlias_Refused()
    {
        var text = "a: &a \"" + new string('x', 1_000_000) + "\"\nb:\n" + string.Concat(Enumerable.Repeat("- *a\n", 10));
        Assert.Contains("too large", Assert.Throws<JsonException>(() => Yaml.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Yaml_LongKeyRepeatedByAlias_Refused()
    {
        var text = "a: &a {" + new string('x', 900) + ": 1}\nb:\n" + string.Concat(Enumerable.Repeat("- *a\n", 4000));
        Assert.Throws<JsonException>(() => Yaml.Parse(text));
    }

    [Fact]
    public void Yaml_ListsRepeatedByAlias_Refused()
    {
        var text = new StringBuilder("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (var c = 'b'; c < 'j'; c++)
        {
            text.Append($"{c}: &{c} [{string.Join(',', Enumerable.Repeat($"*{(char)(c - 1)}", 9))}]\n");
        }

        Assert.Throws<JsonException>(() => Yaml.Parse(text.ToString()));
    }

    [Fact]
    public void Yaml_OrdinaryAlias_IsRepeated() =>
        Assert.Equal("""{"a":{"k":"v"},"b":[{"k":"v"},{"k":"v"}]}""", Json.ToText(Yaml.Parse("a: &a {k: v}\nb: [*a, *a]\n")));

    [Fact]
    public void Json_ManyChildrenOfALongKey_DoesNotCopyTheKeyForEach()
    {
        var children = string.Join(',', Enumerable.Range(0, 2000).Select(i => $"\"{i}\":1"));
        var text = Encoding.UTF8.GetBytes("{\"" + new string('k', 1_000_000) + "\":{" + children + "}}");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Json.Parse(text, []);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000_000);
    }

    [Fact]
    public void Json_ManyDuplicatesOfALongKey_NamesAreFewAndCut()
    {
        var duplicates = new List<string>();
        var text = "{\"" + new string('k', 100_000) + "\":{" + string.Join(',', Enumerable.Repeat("\"a\":1", 1000)) + "}}";
        Json.Parse(Encoding.UTF8.GetBytes(text), duplicates);
        Assert.Equal(FieldTrail.MaxNames, duplicates.Count);
        Assert.All(duplicates, name => Assert.InRange(name.Length, 1, 2 * FieldTrail.MaxLength));
    }

    [Fact]
    public void Prune_ManyUnknownFieldsBelowALongKey_NamesAreFewAndCutAndAllAreRemoved()
    {
        var inner = new JsonObject(Enumerable.Range(0, 1000).Select(i => KeyValuePair.Create(i.ToString(), (JsonNode?)i)));
        var unknown = new List<string>();
        Pruner.Prune(new JsonObject { [new string('k', 100_000)] = inner }, new SchemaNode { AdditionalProperties = new SchemaNode() },
            unknown);
        Assert.Empty(inner);
        Assert.Equal(FieldTrail.MaxNames, unknown.Count);
        Assert.All(unknown, name => Assert.InRange(name.Length, 1, 2 * FieldTrail.MaxLength));
    }

    [Theory]
    [InlineData("""{"a":[{"b":1},{"b":1,"b":2}]}""", "a[1].b")]
    [InlineData("""{"a":1,"b":{"c":{}},"a":2}""", "a")]
    public void Duplicates_InJsonAndYaml_AreNamedByTheirPath(string text, string name)
    {
        var duplicates = new List<string>();
        Json.Parse(Encoding.UTF8.GetBytes(text), duplicates);
        Assert.Equal([name], duplicates);
        duplicates.Clear();
        Yaml.Parse(text, duplicates);
        Assert.Equal([name], duplicates);
    }
}
