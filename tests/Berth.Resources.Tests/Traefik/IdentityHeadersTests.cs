using System.Text.RegularExpressions;

namespace Berth.Resources.Tests.Traefik;

public class IdentityHeadersTests
{
    private static readonly string[] TraefiksOwn =
        ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-Ip"];

    private static readonly Regex Pattern = new(IdentityHeaders.TraefikPattern, RegexOptions.CultureInvariant);

    [Theory]
    [InlineData("X-Forwarded-User")]
    [InlineData("X-Forwarded-Preferred-Username")]
    [InlineData("X-Forwarded-Method")]
    [InlineData("X-Forwarded-Uri")]
    [InlineData("X_forwarded_user")]
    [InlineData("X_forwarded_for")]
    [InlineData("X-Forwarded_for")]
    [InlineData("X.forwarded.host")]
    [InlineData("Forwarded")]
    [InlineData("Forwarded-User")]
    [InlineData("Remote-User")]
    [InlineData("Remote_user")]
    [InlineData("X-Remote-User-Id")]
    [InlineData("X-Auth-Request-Email")]
    [InlineData("X-Webauth-User")]
    [InlineData("X-Goog-Authenticated-User-Email")]
    [InlineData("Oidc_claim_sub")]
    [InlineData("X-Workspace-Identity")]
    [InlineData("X_workspace_identity")]
    [InlineData("X-Workspace_identity")]
    [InlineData("X-Original-Url")]
    [InlineData("X-User")]
    public void TraefikPattern_NameOfAnIdentity_Matches(string name) => Assert.Matches(Pattern, name);

    [Theory]
    [InlineData("Cookie")]
    [InlineData("Authorization")]
    [InlineData("X-Requested-With")]
    [InlineData("X-User-Agent-Hint")]
    [InlineData("User-Agent")]
    [InlineData("X-Forwarded")]
    [InlineData("Remote")]
    public void TraefikPattern_OtherName_DoesNot(string name) => Assert.DoesNotMatch(Pattern, name);

    [Fact]
    public void TraefikPattern_WhatTraefikSetsItself_StaysInItsSpellingOnly()
    {
        var own = TraefiksOwn.ToHashSet(StringComparer.OrdinalIgnoreCase);
        Assert.All(own, name => Assert.DoesNotMatch(Pattern, name));

        // Each beginning of such a name, each with a letter more or another one at the end, and each with another separator.
        foreach (var name in TraefiksOwn.Where(n => n.StartsWith("X-Forwarded-", StringComparison.Ordinal)))
        {
            var near = Enumerable.Range("X-Forwarded-".Length + 1, name.Length - "X-Forwarded-".Length).Select(i => name[..i])
                .SelectMany(begin => "axz-0_".Select(letter => begin + letter).Append(begin).Append(begin[..^1] + "q"))
                .Append(name.Replace('-', '_')).Where(n => !own.Contains(n) && n != "X-Forwarded-");
            Assert.All(near, n => Assert.Matches(Pattern, n));
        }
    }

    [Fact]
    public void TraefikPattern_EveryListedName_MatchesInEverySpelling() => Assert.All(
        IdentityHeaders.Names.Where(n => n != "x-real-ip").Concat(IdentityHeaders.Families.Select(f => f + "name"))
            .SelectMany(n => new[] { n, n.ToUpperInvariant(), n.Replace('-', '_'), n.Replace('-', '.') }),
        n => Assert.Matches(Pattern, n));
}
