using System.Text.Json.Nodes;
using Kube.Server.Kinds;
using Kube.Server.Schema;

namespace Kube.Server.Tests.Kinds;

public sealed class NetworkPolicyRulesTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", null)]
    [InlineData("10.9.9.9/8", "10.1.0.0/16", null)]
    [InlineData("fd00::/8", "fd01::/16", null)]
    [InlineData("10.0.0.0/8", "11.0.0.0/16", "spec.egress[0].to[0].ipBlock.except[0]")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8", "spec.egress[0].to[0].ipBlock.except[0]")]
    [InlineData("10.0.0.0/33", "", "spec.egress[0].to[0].ipBlock.cidr")]
    [InlineData("10.0.0.0", "", "spec.egress[0].to[0].ipBlock.cidr")]
    [InlineData("x/8", "", "spec.egress[0].to[0].ipBlock.cidr")]
    [InlineData("", "", "spec.egress[0].to[0].ipBlock.cidr")]
    public void Validate_Networks_NamesTheWrongOne(string cidr, string except, string? field)
    {
        var block = new JsonObject { ["cidr"] = cidr };
        if (except.Length > 0)
        {
            block["except"] = new JsonArray(except);
        }
        var policy = new JsonObject
        {
            ["spec"] = new JsonObject
            {
                ["egress"] = new JsonArray(
                    (JsonNode)new JsonObject { ["to"] = new JsonArray((JsonNode)new JsonObject { ["ipBlock"] = block }) }),
            },
        };
        var errors = new List<FieldError>();
        NetworkPolicyRules.Validate(policy, errors);
        Assert.Equal(field is null ? [] : [field], errors.Select(e => e.Field));
    }
}
