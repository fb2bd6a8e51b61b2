using System.Collections;
using Berth.Studio.Hosting;

namespace Berth.Studio;

/// <summary>
/// The entry point: a workspace's page with its files and a terminal. Everything is told by environment variables (docs/studio.md).
/// </summary>
public static class Program
{
    /// <summary>Runs until it is told to stop.</summary>
    /// <returns>0; 2 when the environment is not right; 1 when it cannot listen or open the folder.</returns>
    public static async Task<int> Main()
    {
        var environment = Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);
        var (options, problems) = StudioOptions.FromEnvironment(environment);
        if (options is null)
        {
            await Console.Error.WriteLineAsync(
                "The studio cannot start; its environment has "
                    + (problems.Count == 1 ? "a problem" : $"{problems.Count} problems")
                    + ":\n"
                    + string.Join('\n', problems.Select(p => "  - " + p))
            );
            return 2;
        }

        try
        {
            await using var app = StudioHost.Build(options, environment, TimeProvider.System);
            await app.RunAsync();
            return 0;
        }
        catch (IOException e)
        {
            // The port is taken, or the folder cannot be opened.
            await Console.Error.WriteLineAsync("The studio cannot start: " + e.Message);
            return 1;
        }
    }
}
