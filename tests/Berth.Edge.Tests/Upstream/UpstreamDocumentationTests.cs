using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Berth.Accounts;
using Testing;

namespace Berth.Edge.Tests.ApiProxy;

/// <summary>docs/upstream.md has every error of the proxy, with its status, and no other.</summary>
public sealed partial class UpstreamDocumentationTests
{
    [Fact]
    public void ErrorTable_HasEveryError_AndNoOther()
    {
        var document = Checkout.Read("docs", "upstream.md");
        var told = document.Split("## Errors")[1].Split("\n## ")[0].Split('\n')
            .Select(l => Row().Match(l)).Where(m => m.Success)
            .SelectMany(m => m.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries)
                .Select(code => (code, int.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture))))
            .Order();
        Assert.Equal(Known().Select(e => (e.Code, e.Status)).Distinct().Order(), told);
    }

    private static IEnumerable<ConnectionError> Known() =>
    [
        .. typeof(UpstreamErrors).GetProperties(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(p => p.GetValue(null)).OfType<ConnectionError>(),
        UpstreamErrors.TooManyRequests(null), UpstreamErrors.InsufficientScope(""),
        .. Enum.GetValues<AccessTokenOutcome>().Where(o => o != AccessTokenOutcome.Granted)
            .Select(o => UpstreamErrors.FromVault(new AccessTokenResult { Outcome = o }, "/")),
    ];

    [GeneratedRegex(@"^\| ([a-z, -]+) \| (\d{3}) \|")]
    private static partial Regex Row();
}
