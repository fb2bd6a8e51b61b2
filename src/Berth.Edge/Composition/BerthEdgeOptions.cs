namespace Berth.Edge;

/// <summary>
/// Everything the edge is configured with. <see cref="Read"/> takes it from configuration; in-process composition makes it by hand.
/// </summary>
public sealed record BerthEdgeOptions
{
    /// <summary>Sign-in, sessions, proxying.</summary>
    public EdgeOptions Edge { get; init; } = new();

    /// <summary>Workspaces.</summary>
    public WorkspaceOptions Workspaces { get; init; } = new();

    /// <summary>Pages.</summary>
    public PageOptions Pages { get; init; } = new();

    /// <summary>The program's public listener; not used by in-process composition.</summary>
    public ListenerOptions Listener { get; init; } = new();

    /// <summary>Probes and metrics.</summary>
    public ManagementOptions Management { get; init; } = new();

    /// <summary>Reads the section <c>Berth:Edge</c> and its sub-sections.</summary>
    /// <exception cref="EdgeConfigurationException">A value has the wrong form.</exception>
    public static BerthEdgeOptions Read(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(EdgeOptions.Section);
        var problems = new List<string>();
        var options = new BerthEdgeOptions
        {
            Edge = Bind<EdgeOptions>(section, problems),
            Workspaces = Bind<WorkspaceOptions>(section.GetSection("Workspaces"), problems),
            Pages = Bind<PageOptions>(section.GetSection("Pages"), problems),
            Listener = Bind<ListenerOptions>(section.GetSection("Listener"), problems),
            Management = Bind<ManagementOptions>(section.GetSection("Management"), problems),
        };
        return problems.Count == 0 ? options : throw new EdgeConfigurationException(problems);
    }

    private static T Bind<T>(IConfigurationSection section, List<string> problems)
        where T : new()
    {
        try
        {
            return section.Get<T>() ?? new T();
        }
        catch (InvalidOperationException error)
        {
            // "Failed to convert configuration value 'x' at 'Berth:Edge:…' to type …": names the key already.
            problems.Add(error.Message);
            return new T();
        }
    }
}
