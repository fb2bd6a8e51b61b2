namespace Kube.Server.Tests.Runner;

internal static class Processes
{
    /// <summary>Living processes whose command line (arguments separated by spaces) is this.</summary>
    public static IReadOnlyList<int> With(string commandLine)
    {
        var found = new List<int>();
        foreach (var folder in Directory.GetDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)))
        {
            try
            {
                var text = File.ReadAllText($"{folder}/cmdline").TrimEnd('\0').Replace('\0', ' ');
                if (text == commandLine)
                {
                    found.Add(int.Parse(Path.GetFileName(folder)));
                }
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return found;
    }
}
