using System.Collections;
using System.Text.RegularExpressions;
using Berth.Accounts;
using Testing;

namespace Berth.Edge.Tests;

/// <summary>docs/edge.md and docs/api.md name what there is.</summary>
public partial class DocumentationTests
{
    [Fact]
    public void EdgeDocument_NamesEveryOption_AndNoOther()
    {
        var table = Read("docs", "edge.md").Split("## Configuration")[1].Split("\n## ")[0];
        var documented = table.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(1)
            .SelectMany(l => l.Split('|')[1].Split(',', StringSplitOptions.TrimEntries)).Order().ToArray();
        (string Prefix, Type Type)[] parts =
        [
            ("", typeof(EdgeOptions)), ("Workspaces:", typeof(WorkspaceOptions)), ("Pages:", typeof(PageOptions)),
                ("Listener:", typeof(ListenerOptions)), ("Drain:", typeof(DrainOptions)),
            ("Management:", typeof(ManagementOptions)), ("Database:", typeof(DatabaseOptions)), ("Vault:", typeof(VaultOptions)),
                ("PersonalTokens:", typeof(PersonalTokenOptions)),
        ];

        Assert.Equal(parts.SelectMany(p => Keys(p.Type, p.Prefix)).Order(), documented);
    }

    [Fact]
    public void ApiDocument_NamesEveryReason()
    {
        var document = Read("docs", "api.md");
        var source = Directory.EnumerateFiles(Checkout.Path("src", "Berth.Edge"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
                .Select(File.ReadAllText);
        var reasons = source.SelectMany(t => Reason().Matches(t)).Select(m => m.Groups[1].Value).Distinct()
            .Except(["choose-provider", "sign-out", "signed-out"]);

        Assert.DoesNotContain(reasons, r => !Regex.IsMatch(document, $@"\b{Regex.Escape(r)}\b"));
    }

    private static IEnumerable<string> Keys(Type type, string prefix)
    {
        foreach (var property in type.GetProperties().Where(p => p.Name != "EqualityContract"))
        {
            var element = property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)
                ? property.PropertyType.GetGenericArguments()[0] : null;
            var inner = element ?? property.PropertyType;
            var name = prefix + property.Name;
            if (inner.IsClass && (inner.Assembly == typeof(EdgeOptions).Assembly || inner == typeof(VaultKeyOptions)))
            {
                foreach (var key in Keys(inner, element is null ? name + ":" : name + ":N:"))
                {
                    yield return key;
                }
            }
            else
            {
                yield return name;
            }
        }
    }

    private static string Read(params string[] path) => Checkout.Read(path);

    // How the code gives a problem its reason: a status before it, or the property.
    [GeneratedRegex(
        """(?:new(?: ProblemException)?\(\d{3}, |Reason = |Async\(context, (?:provider\.Settings, )?)"([a-z]+(?:-[a-z]+)*)"[,)\n ]""")]
    private static partial Regex Reason();
}
