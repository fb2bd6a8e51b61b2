using Testing;

namespace Berth.Accounts.Tests.Vault;

/// <summary>Somebody else's provider as the vault sees it.</summary>
internal static class ForeignGrants
{
    public static async Task<ForeignProvider> StartProviderAsync(int accessSeconds = 3600)
    {
        var provider = await ForeignProvider.StartAsync(accessSeconds);
        Skip.If(provider is null, ForeignProvider.SkipReason);
        return provider!;
    }

    public static VaultConnection Connection(this ForeignProvider provider) => new()
    {
        Name = "calendar",
        Issuer = provider.Issuer,
        ClientId = ForeignProvider.ClientId,
        ClientSecret = ForeignProvider.Secret,
        Scopes = ["openid", "offline_access"],
    };

    /// <summary>A consent without its access token, so that the first request is a refresh.</summary>
    public static async Task<NewGrant> GrantAsync(this ForeignProvider provider, string subject) => new()
    {
        Owner = new PersonKey("https://login.example", subject),
        Connection = "calendar",
        RefreshToken = (await provider.ConsentAsync(subject)).RefreshToken,
    };
}
