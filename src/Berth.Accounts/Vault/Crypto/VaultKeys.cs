namespace Berth.Accounts;

/// <summary>Checks the vault's keys before anything is connected.</summary>
public static class VaultKeys
{
    /// <summary>Reads the keys and forgets them.</summary>
    /// <param name="options">The vault's options.</param>
    /// <param name="problem">Told the option and what is wrong with it.</param>
    public static void Check(VaultOptions options, Action<string, string> problem)
    {
        ArgumentNullException.ThrowIfNull(options);
        VaultKeyRing.Create(options, File.ReadAllText, problem)?.Dispose();
    }
}
