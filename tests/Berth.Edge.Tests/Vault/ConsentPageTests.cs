using System.Net;
using Microsoft.AspNetCore.Http;
using Testing;
using static Berth.Edge.Tests.Vault.VaultFixture;

namespace Berth.Edge.Tests.Vault;

/// <summary>A consent that a program began ends before a person: they get a page, programs keep their JSON.</summary>
public class ConsentPageTests(ThrowawayPostgres postgres) : IClassFixture<ThrowawayPostgres>
{
    private const string Navigation = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    [SkippableFact]
    public async Task Callback_OfABrowser_IsAPageThatSaysWhatHappenedAndWhatIsNext()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        using var answer = await BackAsync(edge, ann, ann, "?purpose=%3Cb%3Enightly");
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        var stored = Assert.Single(await edge.Get<Berth.Accounts.ITokenVault>().ListAsync(new(edge.Provider.Issuer, "ann"), default));
        Assert.Contains($"<code>{stored.Id}</code>", page, StringComparison.Ordinal);
        Assert.Contains("go back to the program", page, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;nightly", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
    }

    [SkippableFact]
    public async Task Callback_ConsentDenied_IsAPageWithTheSameStatus()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        using var answer = await BackAsync(
            edge, ann, ann, url: u => u.Replace("code=", "error=access_denied&x=", StringComparison.Ordinal));
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal((HttpStatusCode.Forbidden, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        Assert.Contains("<code>consent-denied</code>", page, StringComparison.Ordinal);
        Assert.Contains("begin anew in the program", page, StringComparison.Ordinal);
    }

    // Nothing is used up by it: the address of the consent is good for whoever signs in.
    [SkippableFact]
    public async Task Callback_NotSignedIn_SaysSoAndGoesOnAfterwards()
    {
        await using var edge = await StartAsync(postgres);
        var ann = await edge.SignedInAsync("ann");
        string? back = null;
        using var stranger = await BackAsync(edge, ann, edge.NewBrowser(), url: u => back = u);
        var page = await stranger.Content.ReadAsStringAsync();

        Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (stranger.StatusCode, stranger.Content.Headers.ContentType!.MediaType));
        Assert.Contains("/login?return=", page, StringComparison.Ordinal);
        using var after = await ann.GetAsync(back!, ("Accept", Navigation));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Theory]
    [InlineData(Navigation, null, true)]
    [InlineData("text/html", null, true)]
    [InlineData("application/json;q=0.4, text/html;q=0.5", null, true)]
    [InlineData("application/json", null, false)]
    [InlineData("*/*", null, false)]
    [InlineData("", null, false)]
    [InlineData("application/json, text/html", null, false)]
    [InlineData("text/html;q=0", null, false)]
    [InlineData("not a type", null, false)]
    [InlineData(Navigation, "cors", false)]
    public void IsFor_Accept_IsAPageOnlyWhereThatIsPreferred(string accept, string? mode, bool expected)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Accept = accept.Length == 0 ? default : accept;
        context.Request.Headers["Sec-Fetch-Mode"] = mode;
        Assert.Equal(expected, ConsentForm.IsFor(context));
    }

    private static async Task<HttpResponseMessage> BackAsync(
        ProductFixture edge, Browser person, Browser returning, string query = "", Func<string, string>? url = null)
    {
        using var api = edge.Api("ann");
        using var begun = await api.GetAsync(Manager + "offline-token" + query);
        using var provider = await person.GetAsync((string)(await JsonAsync(begun))["consent_url"]!);
        var back = provider.Headers.Location!.AbsoluteUri;
        return await returning.GetAsync(url?.Invoke(back) ?? back, ("Accept", Navigation));
    }
}
