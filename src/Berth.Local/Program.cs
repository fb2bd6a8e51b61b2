namespace Berth.Local;

/// <summary>The entry point.</summary>
public static class Program
{
    /// <summary>Starts the program.</summary>
    public static int Main(string[] args) => args?.Length ?? 0;
}
