using System.Security.Cryptography;

namespace Berth.Accounts.Tests.Vault;

/// <summary>Keys for tests.</summary>
internal static class TestKeys
{
    public static VaultKeyOptions Option(string id, VaultKeyState state = VaultKeyState.Active) =>
        new() { Id = id, State = state, Key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) };

    public static VaultKey Key(string id) => new(id, VaultKeyState.Active, RandomNumberGenerator.GetBytes(32));

    public static VaultKeyRing Ring(params VaultKeyOptions[] keys) => VaultKeyRing.Create(
        new VaultOptions { Keys = keys.Length > 0 ? keys : [Option("a")], FingerprintKeys = [Option("f")] },
        File.ReadAllText,
        (name, text) => Assert.Fail($"{name} {text}"))!;
}
