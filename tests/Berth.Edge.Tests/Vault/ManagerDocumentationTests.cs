using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Berth.Accounts;
using Testing;

namespace Berth.Edge.Tests.Vault;

/// <summary>docs/vault.md has every error of the token manager, with its status, and no other; and every cause.</summary>
public sealed partial class ManagerDocumentationTests
{
    // What the pipeline and the reading of bodies refuse, in words that the whole API has.
    private static readonly (string Code, int Status)[] OfTheApi =
    [
        ("bad-json", 400), ("bad-request", 400), ("invalid-token", 401), ("cross-site", 403), ("insufficient-scope", 403), ("body-too-large", 413), ("media-type", 415),
        ("cannot-verify", 503),
    ];

    [Fact]
    public void ErrorTable_HasEveryError_AndNoOther()
    {
        var told = Section().Split('\n').Select(l => Row().Match(l)).Where(m => m.Success)
            .SelectMany(m => m.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries)
                .Select(code => (code, int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))))
            .Order();
        Assert.Equal(Known().Select(e => (e.Code, e.Status)).Concat(OfTheApi).Distinct().Order(), told);
    }

    [Fact]
    public void CauseTable_HasEveryCause()
    {
        var told = Section().Split("| cause |")[1].Split('\n').Select(l => Cause().Match(l)).Where(m => m.Success)
            .Select(m => m.Groups[1].Value).Order();
        Assert.Equal(Enum.GetValues<ReconsentCause>().Where(c => c != ReconsentCause.None).Select(c => c.ToText()).Order(), told);
    }

    [Fact]
    public void Codes_OfVaultAndProxy_AreOfOneStyleAndMeanOneStatus()
    {
        var all = Known().Concat(typeof(UpstreamErrors).GetProperties(BindingFlags.Static | BindingFlags.Public)
            .Select(p => (ConnectionError)p.GetValue(null)!)).ToList();
        Assert.All(all, e => Assert.Matches("^[a-z]+(-[a-z]+)*$", e.Code));
        Assert.All(all.GroupBy(e => e.Code), g => Assert.Single(g.Select(e => e.Status).Distinct()));
    }

    private static string Section() =>
        Checkout.Read("docs", "vault.md").Split("### Errors")[1].Split("\n## ")[0];

    private static IEnumerable<ConnectionError> Known() =>
    [
        .. typeof(ManagerErrors).GetProperties(BindingFlags.Static | BindingFlags.Public)
            .Select(p => p.GetValue(null)).OfType<ConnectionError>(),
        ManagerErrors.BadParameter("x", ""), ManagerErrors.BadUuid("x"),
        .. Enum.GetValues<AccessTokenOutcome>().Where(o => o != AccessTokenOutcome.Granted)
            .Select(o => ManagerErrors.FromVault(new AccessTokenResult { Outcome = o }, Guid.Empty, "/")),
    ];

    [GeneratedRegex(@"^\| (\d{3}) \| ([a-z, -]+) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"^\| ([a-z-]+) \|")]
    private static partial Regex Cause();
}
