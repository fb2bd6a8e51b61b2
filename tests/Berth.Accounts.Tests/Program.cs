using Berth.Accounts.Tests.Vault;

namespace Berth.Accounts.Tests;

/// <summary>The tests are run by the test host; started as a program, this assembly is a vault that a test may kill.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is [VaultProcess.Command])
        {
            await VaultProcess.RunAsync();
            return 0;
        }

        await Console.Error.WriteLineAsync("These are tests: dotnet test.");
        return 2;
    }
}
