using System.Text.Json;
using System.Text.Json.Serialization;

namespace Berth.Local.Identity;

/// <summary>
/// The refresh tokens of the development provider from run to run: their hashes, and what they stand for. Only its owner reads the file.
/// </summary>
internal sealed partial class GrantFile(string path)
{
    /// <summary>Reads what was written last.</summary>
    /// <exception cref="LocalConfigurationException">It cannot be read as that.</exception>
    public Contents Read()
    {
        if (!File.Exists(path))
        {
            return Contents.Empty;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), Json.Default.Contents) is { Tokens: not null, Ended: not null } kept
                ? kept
                : throw Damaged();
        }
        catch (JsonException)
        {
            throw Damaged();
        }
    }

    /// <summary>Replaces the file, whole or not at all.</summary>
    public void Write(Contents contents) => DataFolder.WritePrivate(path, JsonSerializer.Serialize(contents, Json.Default.Contents));

    private LocalConfigurationException Damaged() => DataFolder.Damaged(path, "people have to connect their connections again");

    /// <summary>All of it.</summary>
    /// <param name="Tokens">Refresh tokens.</param>
    /// <param name="Ended">Families that were ended, and when.</param>
    internal sealed record Contents(IReadOnlyList<Token> Tokens, IReadOnlyDictionary<string, DateTimeOffset> Ended)
    {
        public static Contents Empty { get; } = new([], new Dictionary<string, DateTimeOffset>());
    }

    /// <summary>One refresh token, by its hash.</summary>
    internal sealed record Token(
        string Hash,
        string Subject,
        string SessionId,
        string ClientId,
        string Scope,
        DateTimeOffset AuthTime,
        string Family,
        DateTimeOffset Expires,
        bool Spent
    )
    {
        public static Token From(string hash, Grant grant, DateTimeOffset expires, bool spent) =>
            new(hash, grant.Account.Subject, grant.SessionId, grant.ClientId, grant.Scope, grant.AuthTime, grant.Family, expires, spent);

        /// <summary>What it stands for; null when the account is not there any more.</summary>
        public Grant? ToGrant() =>
            DevelopmentAccount.FindSubject(Subject) is { } account
                ? new Grant(account, SessionId, ClientId, "", "", null, Scope, AuthTime) { Family = Family }
                : null;
    }

    [JsonSerializable(typeof(Contents))]
    private sealed partial class Json : JsonSerializerContext;
}
