using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Edge.Tests;

/// <summary>
/// Who may sign in. CVE-2026-40574 (two @), GHSA-4mf2-f3wh-gvf2 (suffixes), GHSA-652x-m2gr-hppm (a rule that silently asks for nothing).
/// </summary>
public class SignInRuleTests
{
    private static readonly AllowOptions All = new()
    {
        Organizations = ["org_1", "org_2"],
        EmailDomains = ["company.example"],
        Groups = ["staff"],
    };

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"org_id":"org_3"}""", "organization-not-allowed")]
    [InlineData("""{"org_id":null}""", "organization-not-allowed")]
    [InlineData("""{"org_id":{"a":"org_1"}}""", "organization-not-allowed")]
    [InlineData("""{"org_id":"-"}""", "organization-not-allowed")]
    [InlineData("""{"email":"a@other.example"}""", "email-not-allowed")]
    [InlineData("""{"email":"a@evil.example@company.example"}""", "email-not-allowed")]
    [InlineData("""{"email":"a@evilcompany.example"}""", "email-not-allowed")]
    [InlineData("""{"email":"a@sub.company.example"}""", "email-not-allowed")]
    [InlineData("""{"email":"a@company.example."}""", "email-not-allowed")]
    [InlineData("""{"email":"a@company.example, b@company.example"}""", "email-not-allowed")]
    [InlineData("""{"email":"-"}""", "email-not-allowed")]
    [InlineData("""{"email_verified":false}""", "email-not-allowed")]
    [InlineData("""{"email_verified":"true"}""", "email-not-allowed")]
    [InlineData("""{"email_verified":"-"}""", "email-not-allowed")]
    [InlineData("""{"groups":[]}""", "group-not-allowed")]
    [InlineData("""{"groups":["others"]}""", "group-not-allowed")]
    [InlineData("""{"groups":"-"}""", "group-not-allowed")]
    [InlineData("""{"groups":["staff",1]}""", "group-not-allowed")]
    [InlineData("""{"groups":"staff"}""", null)]
    [InlineData("""{"org_id":["org_9","org_2"]}""", null)]
    [InlineData("""{"email":"A@COMPANY.Example"}""", null)]
    public async Task Callback_ClaimsAndRules_LetInOrSayWhyNotAndWhatToDo(string change, string? refusal)
    {
        var recorder = new RefusalRecorder();
        await using var edge = await EdgeFixture.StartAsync(
            p => p.OnIdToken = claims => Bend(claims, change),
            o => o with { Issuers = [o.Issuers[0] with { Allow = All, DisplayName = "Example IdP" }] },
            s => s.AddSingleton<ISignInRecorder>(recorder));
        var browser = edge.NewBrowser();

        using var answer = await browser.FollowAsync($"{EdgeFixture.Origin}/login?return=/whoami");

        var text = await answer.Content.ReadAsStringAsync();
        if (refusal is null)
        {
            Assert.Equal("Session user1 False", text);
            Assert.Empty(recorder.Refusals);
            return;
        }

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("You are signed in at Example IdP as", text, StringComparison.Ordinal);
        Assert.Contains("prompt=login", text, StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Cookies.Keys, c => c.Name == "berth");
        Assert.Equal([(refusal, "user1")], recorder.Refusals);
        Assert.Equal(0, recorder.Recorded);
    }

    [Theory]
    [InlineData("user1", "staff", null)]
    [InlineData("user1", "others", "group-not-allowed")]
    [InlineData("somebody-else", "staff", "group-not-allowed")]
    public async Task Callback_GroupsOnlyInUserinfo_CountWhenTheyAreOfTheSamePerson(string subject, string group, string? refusal)
    {
        var recorder = new RefusalRecorder();
        await using var edge = await EdgeFixture.StartAsync(
            p => p.UserInfo = new JsonObject { ["sub"] = subject, ["groups"] = new JsonArray(group) },
            o => o with { Issuers = [o.Issuers[0] with { Allow = new() { Groups = ["staff"] } }] },
            s => s.AddSingleton<ISignInRecorder>(recorder));

        using var answer = await edge.NewBrowser().FollowAsync($"{EdgeFixture.Origin}/login?return=/whoami");

        Assert.Equal(refusal is null ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(refusal is null ? [] : [(refusal, "user1")], recorder.Refusals);
    }

    [Fact]
    public void Check_AddressOfTheTokenVerifiedByUserinfo_IsNotVerified()
    {
        var rules = new SignInRules { EmailDomains = ["company.example"] };

        Assert.NotNull(rules.Check(Json("""{"email":"a@company.example"}"""), Json("""{"email_verified":true}""")));
        Assert.Null(rules.Check(Json("{}"), Json("""{"email":"a@company.example","email_verified":true}""")));
    }

    [Theory]
    [InlineData("a@example.com", "example.com")]
    [InlineData("a@EXAMPLE.com", "example.com")]
    [InlineData("a@münchen.example", "xn--mnchen-3ya.example")]
    [InlineData("a@xn--mnchen-3ya.example", "xn--mnchen-3ya.example")]
    [InlineData("a.b+c@example.com", "example.com")]
    [InlineData("a@b@example.com", null)]
    [InlineData("@example.com", null)]
    [InlineData("a@", null)]
    [InlineData("a", null)]
    [InlineData("a@example", null)]
    [InlineData("a@.example.com", null)]
    [InlineData("a@example..com", null)]
    [InlineData("a@example.com.", null)]
    [InlineData("a@example\u3002com", null)]
    [InlineData("a@evil.example\uFF20example.com", null)]
    [InlineData("a@127.0.0.1", null)]
    [InlineData("a@[127.0.0.1]", null)]
    [InlineData("a@example.com ", null)]
    [InlineData("a b@example.com", null)]
    [InlineData("\"a\"@example.com", null)]
    [InlineData("a@exam\u00adple.com\n", null)]
    [InlineData(null, null)]
    public void DomainOf_Address_IsOneDomainOrNone(string? address, string? domain) => Assert.Equal(domain, SignInRules.DomainOf(address));

    [Theory]
    [InlineData("""{"org_id":"org_1","email":"a@company.example","email_verified":true,"groups":["staff"]}""", 200)]
    [InlineData("""{"email":"a@company.example","email_verified":true,"groups":["staff"]}""", 403)]
    [InlineData("""{"org_id":"org_1","groups":["staff"]}""", 403)]
    [InlineData("""{"org_id":"org_1","email":"a@company.example","email_verified":true}""", 403)]
    [InlineData("""{"org_id":"org_1","email":"a@company.example","email_verified":true,"groups":["x"]}""", 403)]
    public async Task Bearer_SameRules_AreAskedOfTheTokensClaims(string claims, int status)
    {
        await using var edge = await EdgeFixture.StartAsync(
            options: o => o with { Issuers = [o.Issuers[0] with { Allow = All }] });
        var token = edge.Provider.AccessTokenClaims(EdgeFixture.Audience);
        foreach (var (name, value) in JsonNode.Parse(claims)!.AsObject())
        {
            token[name] = value!.DeepClone();
        }

        using var answer = await edge.NewBrowser().GetAsync(
            $"{EdgeFixture.Origin}/whoami", ("Authorization", "Bearer " + edge.Provider.Sign(token, "at+jwt")),
            ("Accept", "application/json"));

        Assert.Equal(status, (int)answer.StatusCode);
        if (status == 403)
        {
            Assert.Contains("person-not-allowed", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Parse_RulesThatCanNotBeMetOrWouldNotBeEnforced_RefuseToStartWithTheKeyAndTheRemedy()
    {
        (string Key, IssuerOptions Issuer)[] wrong =
        [
            ("Allow:EmailDomains:0", new() { Allow = new() { EmailDomains = ["@example.com"] } }),
            ("Allow:EmailDomains:0", new() { Allow = new() { EmailDomains = ["*.example.com"] } }),
            ("Allow:EmailDomains:0", new() { Allow = new() { EmailDomains = [".example.com"] } }),
            ("Allow:EmailDomains:0", new() { Allow = new() { EmailDomains = ["a@example.com"] } }),
            ("Allow:EmailDomains:1", new() { Allow = new() { EmailDomains = ["example.com", ""] } }),
            ("Allow:EmailDomains:0", new() { Allow = new() { EmailDomains = ["localhost"] } }),
            ("Allow:EmailDomains", new() { Scopes = ["openid"], Allow = new() { EmailDomains = ["example.com"] } }),
            ("Allow:Organizations:0", new() { Allow = new() { Organizations = [" "] } }),
            ("Allow:Groups:0", new() { Allow = new() { Groups = [" staff"] } }),
            ("Allow:GroupClaim", new() { Allow = new() { GroupClaim = "roles" } }),
            ("Allow:OrganizationClaim", new() { Allow = new() { OrganizationClaim = "org" } }),
            ("Allow:GroupClaim", new() { Allow = new() { Groups = ["a"], GroupClaim = " " } }),
            ("AdministratorAcr:0", new() { AdministratorClaim = "r", AdministratorClaimValue = "a", AdministratorAcr = ["a b"] }),
            ("AdministratorMaxAge", new() { AdministratorClaim = "r", AdministratorClaimValue = "a", AdministratorMaxAge = TimeSpan.Zero }),
            ("AdministratorAcr", new() { AdministratorAcr = ["gold"] }),
            ("Prompt", new() { Prompt = "none" }),
            ("RefreshAfter", new() { RefreshSessions = true, RefreshAfter = TimeSpan.FromSeconds(1) }),
        ];
        foreach (var (key, issuer) in wrong)
        {
            var options = EdgeFixture.Options("https://idp.example.test");
            options = options with
            {
                Administrators = [],
                Issuers = [issuer with { Issuer = options.Issuers[0].Issuer, ClientId = "berth" }],
            };

            var error = Assert.Throws<EdgeConfigurationException>(() => EdgeSettingsParser.Parse(options));

            Assert.StartsWith($"Berth:Edge:Issuers:0:{key} ", Assert.Single(error.Problems), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Berth:Edge:Issuers:0:Allow:EmailDomains", "example.com")]
    [InlineData("Berth:Edge:Issuers:0:Allow:EmailDomain:0", "example.com")]
    [InlineData("Berth:Edge:Issuers:0:AllowedGroups:0", "staff")]
    [InlineData("Berth:Edge:Issuers:0:RefreshSessions", "true")]
    public void ReadAndCheck_RuleInAPlaceWhereNobodyWouldReadIt_RefusesToStart(string key, string value)
    {
        var configuration = new Microsoft.Extensions.Configuration.ConfigurationManager
        {
            ["Berth:Edge:PublicOrigin"] = EdgeFixture.Origin,
            ["Berth:Edge:WorkspaceDomain"] = "localhost",
            ["Berth:Edge:Issuers:0:Issuer"] = "https://idp.example.test",
            ["Berth:Edge:Issuers:0:ClientId"] = "berth",
            ["Berth:Edge:Session:GenerateKey"] = "true",
            ["Berth:Edge:Identity:GenerateKey"] = "true",
            [key] = value,
        };

        var error = Assert.Throws<EdgeConfigurationException>(
            () => Microsoft.Extensions.DependencyInjection.BerthEdgeExtensions.ReadAndCheck(configuration));

        Assert.Contains(
            error.Problems, p => p.StartsWith(key, StringComparison.Ordinal) || key.StartsWith(p.Split(' ')[0], StringComparison.Ordinal));
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    // What meets all rules, and then the change; "-" leaves a claim out.
    private static void Bend(JsonObject claims, string change)
    {
        claims["org_id"] = "org_1";
        claims["email"] = "a@company.example";
        claims["groups"] = new JsonArray("staff", "others");
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            if (value?.ToJsonString() == "\"-\"")
            {
                claims.Remove(name);
            }
            else
            {
                claims[name] = value?.DeepClone();
            }
        }
    }

    private sealed class RefusalRecorder : ISignInRecorder
    {
        public List<(string Reason, string? Subject)> Refusals { get; } = [];

        public int Recorded { get; private set; }

        public void NoteRefusal(string issuer, string reason, string? subject = null) => Refusals.Add((reason, subject));

        public ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken)
        {
            Recorded++;
            return new(new SignInRecord(0));
        }
    }
}
