using System.Text.Json.Nodes;
using Kube.Server.Cel;
using Kube.Server.Schema;

namespace Kube.Server.Tests.Cel;

public sealed class CelTests
{
    [Theory]
    [InlineData("self.a + 1 == 4", true)]
    [InlineData("self.a > 2 && self.name.startsWith('be')", true)]
    [InlineData("has(self.missing) ? false : size(self.list) == 3", true)]
    [InlineData("self.list.all(x, x > 0) && self.list.exists_one(x, x == 2)", true)]
    [InlineData("self.list.filter(x, x > 1).map(x, x * 2) == [4, 6]", true)]
    [InlineData("'k' in self.map && self.map['k'] == 'v' && !('z' in self.map)", true)]
    [InlineData("self.name.matches('^b[a-z]+$')", true)]
    [InlineData("duration('90s') > duration('1m') && timestamp('2024-01-01T00:00:00Z') < timestamp('2025-01-01T00:00:00Z')", true)]
    [InlineData("int('7') == 7 && string(7) == '7' && 7 / 2 == 3 && -7 % 3 == -1", true)]
    [InlineData("self.name + '!' == 'berth!' && self.name[0:1] == 'b' || true", null)]
    [InlineData("quantity('1Gi').isGreaterThan(quantity('500Mi'))", true)]
    [InlineData("true || self.missing == 1", true)]
    [InlineData("self.real * 2.0 == 3.0", true)]
    [InlineData("self.__namespace__ == 'n' && self.with__dash__dash == 1", true)]
    public void Evaluate_Expression_GivesExpected(string source, bool? expected)
    {
        if (expected is null)
        {
            Assert.Throws<CelException>(() => CelParser.Parse(source));
            return;
        }
        var self = (JsonObject)JsonNode.Parse("""
            {"a":3,"name":"berth","list":[1,2,3],"map":{"k":"v"},"real":1.5,"namespace":"n","with-dash":1}
            """)!;
        var schema = new SchemaNode { Type = "object", PreserveUnknownFields = true };
        schema.Properties["real"] = new SchemaNode { Type = "number" };
        var value = new CelEvaluator(10_000).Eval(CelParser.Parse(source), new Scope(null, "self", CelValue.From(self, schema)));
        Assert.Equal(expected, value);
    }

    [Fact]
    public void Evaluate_Expensive_StopsAtBudget()
    {
        var expr = CelParser.Parse("[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, a + b + c > 0)))");
        Assert.Throws<CelBudgetException>(() => new CelEvaluator(500).Eval(expr, new Scope(null, "self", null)));
    }

    [Fact]
    public void Evaluate_ListNamedInALoop_IsConvertedOnce()
    {
        var self = new CelObject(new JsonObject { ["l"] = new JsonArray([.. Enumerable.Range(0, 2000).Select(i => (JsonNode?)i)]) }, null);
        var expr = CelParser.Parse("self.l.all(a, self.l.size() > 0)");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(true, new CelEvaluator(10_000_000).Eval(expr, new Scope(null, "self", self)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000_000);
    }

    [Fact]
    public void Evaluate_JoinOfLongTexts_LengthCounts()
    {
        var texts = new JsonArray([.. Enumerable.Range(0, 100).Select(_ => (JsonNode?)new string('x', 1000))]);
        var scope = new Scope(null, "self", new CelObject(new JsonObject { ["l"] = texts }, null));
        Assert.Throws<CelBudgetException>(() => new CelEvaluator(5000).Eval(CelParser.Parse("self.l.join('-')"), scope));
    }

    [Theory]
    [InlineData("self.unknown == 1", "undefined field 'unknown'")]
    [InlineData("other == 1", "undeclared reference to 'other'")]
    [InlineData("self.a.frobnicate()", "undeclared reference to 'frobnicate'")]
    [InlineData("self.a ==", "Syntax error")]
    public void Compile_WrongRule_SaysWhatIsWrong(string rule, string expected)
    {
        var schema = new SchemaNode { Type = "object" };
        schema.Properties["a"] = new SchemaNode { Type = "integer" };
        var error = Assert.Throws<CelException>(() => CelRule.Compile(new JsonObject { ["rule"] = rule }, schema));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
