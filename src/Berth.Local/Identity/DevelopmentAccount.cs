namespace Berth.Local.Identity;

/// <summary>A person the development provider can sign in.</summary>
/// <param name="Subject">The <c>sub</c> claim: stable, so the person's workspace is found again.</param>
/// <param name="Username">What <c>login_hint</c> and the page's buttons use.</param>
/// <param name="Name">Display name.</param>
/// <param name="Email">Address, in the reserved domain <c>example.com</c> (RFC 2606).</param>
/// <param name="Groups">The <c>groups</c> claim.</param>
public sealed record DevelopmentAccount(string Subject, string Username, string Name, string Email, IReadOnlyList<string> Groups)
{
    /// <summary>The accounts that exist: two people and an administrator.</summary>
    public static IReadOnlyList<DevelopmentAccount> All { get; } =
    [
        new("dev-user1", "user1", "User One", "user1@example.com", ["people"]),
        new("dev-user2", "user2", "User Two", "user2@example.com", ["people"]),
        new("dev-admin", "admin", "Ada Admin", "admin@example.com", ["people", "berth-admins"]),
    ];

    /// <summary>Finds an account by user name or e-mail address; null when there is none.</summary>
    public static DevelopmentAccount? Find(string? hint) =>
        All.FirstOrDefault(a =>
            a.Username.Equals(hint, StringComparison.OrdinalIgnoreCase) || a.Email.Equals(hint, StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>Finds an account by subject; null when there is none.</summary>
    public static DevelopmentAccount? FindSubject(string? subject) => All.FirstOrDefault(a => a.Subject == subject);
}
