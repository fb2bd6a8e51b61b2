using System.Diagnostics;
using Microsoft.Playwright;
using Testing;

namespace Berth.EndToEnd;

/// <summary>Berth with an OpenID Provider written by other people (npm oidc-provider), so that a mistake of ours on both sides cannot hide.</summary>
public sealed class ForeignProviderBerth : BerthFixture
{
    private Process? _provider;

    /// <summary>The provider's issuer identifier.</summary>
    public string Issuer { get; private set; } = "";

    protected override bool IsReady => Tools.OpenIdProvider is not null && Tools.Chromium is not null;

    protected override async Task<IReadOnlyDictionary<string, string>> ConfigureAsync(string origin, int freePort)
    {
        if (!IsReady)
        {
            return new Dictionary<string, string>();
        }

        var info = new ProcessStartInfo(Tools.OpenIdProvider!) { RedirectStandardOutput = true };
        info.Environment["PORT"] = $"{freePort}";
        info.Environment["CLIENT_ID"] = "berth";
        info.Environment["CLIENT_SECRET"] = "a-secret-of-this-test";
        info.Environment["REDIRECT_URIS"] = $"{origin}/auth/callback";
        info.Environment["POST_LOGOUT_URIS"] = $"{origin}/";
        info.Environment["AUDIENCE"] = origin;
        info.Environment["BACKCHANNEL_URI"] = $"{origin}/auth/backchannel-logout";
        _provider = Process.Start(info)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await _provider.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("ready ", StringComparison.Ordinal))
            {
                Issuer = line["ready ".Length..];
                return new Dictionary<string, string>
                {
                    ["OIDC_ISSUER"] = Issuer,
                    ["OIDC_CLIENT_ID"] = "berth",
                    ["OIDC_CLIENT_SECRET"] = "a-secret-of-this-test",
                    ["OIDC_AUDIENCE"] = origin,
                };
            }
        }

        throw new InvalidOperationException("The OpenID Provider did not start.");
    }

    protected override Task ReleaseAsync()
    {
        _provider?.Kill(entireProcessTree: true);
        _provider?.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>The journey, signed in by somebody else's provider.</summary>
public sealed class ForeignProviderJourneyTests : JourneyTests, IClassFixture<ForeignProviderBerth>
{
    private readonly ForeignProviderBerth _berth;

    public ForeignProviderJourneyTests(ForeignProviderBerth berth)
        : base(berth)
    {
        _berth = berth;
        Skip.If(Tools.OpenIdProvider is null, "needs somebody else's OpenID Provider (BERTH_TEST_IDP=program that starts one)");
    }

    protected override async Task PassProviderAsync(IPage page, string person)
    {
        await page.Locator("input[name=login]").FillAsync(person);
        await page.Locator("input[name=password]").FillAsync("any");
        await page.Locator("button[type=submit]").ClickAsync();

        // The consent page, which somebody who consented in another tab is spared.
        var consent = page.Locator("form:has(input[name=prompt][value=consent]) button[type=submit]");
        var back = page.WaitForURLAsync(u => !u.StartsWith(_berth.Issuer, StringComparison.Ordinal));
        if (await Task.WhenAny(consent.WaitForAsync(), back) != back)
        {
            await consent.ClickAsync();
        }

        await back;
    }

    /// <summary>The provider's server tells ours (OpenID Connect Back-Channel Logout), which ends what is open.</summary>
    [SkippableFact]
    public async Task SignOut_AtTheProvider_EndsTheTerminalAndThePageSaysWhy()
    {
        await using var person = await _berth.NewPersonAsync();
        var (studio, sockets) = await OpenTerminalAsync(person, "user3");
        var ended = sockets.LatestEnds;

        var provider = await person.NewPageAsync();
        await provider.GotoAsync(_berth.Issuer + "/session/end");
        await provider.Locator("button[name=logout]").ClickAsync();

        await ended;
        await studio.SaysAsync("You are signed out");
    }

    protected override string ShownAs(string person) => $"{person}@example.test";
}
