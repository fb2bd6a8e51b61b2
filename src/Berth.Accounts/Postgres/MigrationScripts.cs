using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>The numbered scripts inside this program: <c>NNNN_name.sql</c> forward, <c>NNNN_name.down.sql</c> back.</summary>
internal static class MigrationScripts
{
    private const string Folder = "migrations/";
    private const string BackSuffix = ".down.sql";

    /// <summary>All of them, lowest version first.</summary>
    public static IReadOnlyList<Migration> All { get; } = Read();

    /// <summary>The version this program is made for.</summary>
    public static int Latest => All[^1].Version;

    /// <summary>The script that makes roles and gives them rights.</summary>
    public static string Roles => ReadText("roles.sql");

    /// <summary>The script that makes the role an edge signs in as.</summary>
    public static string EdgeLogin => ReadText("edge-login.sql");

    private static IReadOnlyList<Migration> Read()
    {
        var names = Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.StartsWith(Folder, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. names.Where(n => !n.EndsWith(BackSuffix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(n =>
            {
                var name = Path.GetFileNameWithoutExtension(n);
                var forward = ReadText(n);
                return new Migration(int.Parse(name.AsSpan(0, 4)), name, forward, ReadText(Folder + name + BackSuffix),
                    Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(forward))));
            }),
        ];
    }

    private static string ReadText(string resource)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The script {resource} is missing: each migration has one forward and one back.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}

/// <summary>One step of the schema.</summary>
/// <param name="Version">Its number.</param>
/// <param name="Name">Number and name, such as <c>0001_accounts</c>.</param>
/// <param name="Forward">SQL that makes it.</param>
/// <param name="Back">SQL that takes it back.</param>
/// <param name="Checksum">SHA-256 of the forward script, in hex: a script that has run must not change.</param>
internal sealed record Migration(int Version, string Name, string Forward, string Back, string Checksum);
