using Berth.Accounts;

namespace Berth.Edge;

/// <summary>
/// Everything the edge is configured with. <see cref="Read(IConfiguration)"/> takes it from configuration; in-process composition makes it
/// by hand.
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

    /// <summary>How a replica ends.</summary>
    public DrainOptions Drain { get; init; } = new();

    /// <summary>Probes and metrics.</summary>
    public ManagementOptions Management { get; init; } = new();

    /// <summary>The program's account store; not used by in-process composition.</summary>
    public DatabaseOptions Database { get; init; } = new();

    /// <summary>Personal access tokens.</summary>
    public PersonalTokenOptions PersonalTokens { get; init; } = new();

    /// <summary>Connections to other APIs by name: lower-case letters, digits and dashes. The default is none.</summary>
    public IReadOnlyDictionary<string, ConnectionOptions> Connections { get; init; } = new Dictionary<string, ConnectionOptions>();

    /// <summary>
    /// The token vault; on where it has keys, in the database of <see cref="DatabaseOptions.ConnectionString"/>, whoever keeps the
    /// accounts.
    /// </summary>
    public VaultOptions Vault { get; init; } = new();

    /// <summary>Reads the section <c>Berth:Edge</c> and its sub-sections.</summary>
    /// <exception cref="EdgeConfigurationException">Values have the wrong form, or keys are no options: all of them, in one
    /// message.</exception>
    public static BerthEdgeOptions Read(IConfiguration configuration)
    {
        var problems = new List<string>();
        var options = Read(configuration, problems);
        return problems.Count == 0 ? options : throw new EdgeConfigurationException(problems);
    }

    /// <summary>The same, with a sentence for each problem; what has one keeps its default, so that the rest can be checked too.</summary>
    internal static BerthEdgeOptions Read(IConfiguration configuration, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(EdgeOptions.Section);
        (string Name, Type Type)[] parts =
        [
            (nameof(Workspaces), typeof(WorkspaceOptions)), (nameof(Pages), typeof(PageOptions)),
                (nameof(Listener), typeof(ListenerOptions)), (nameof(Drain), typeof(DrainOptions)),
            (nameof(Management), typeof(ManagementOptions)), (nameof(Database), typeof(DatabaseOptions)),
            (nameof(Vault), typeof(VaultOptions)), (nameof(PersonalTokens), typeof(PersonalTokenOptions)),
        ];
        var reader = new SectionReader(problems);
        reader.Add(section, typeof(EdgeOptions), [.. parts.Select(p => p.Name), nameof(Connections)]);
        foreach (var (name, type) in parts)
        {
            reader.Add(section.GetSection(name), type);
        }

        foreach (var connection in section.GetSection(nameof(Connections)).GetChildren())
        {
            reader.Add(connection, typeof(ConnectionOptions));
        }

        var good = reader.ToConfiguration().GetSection(EdgeOptions.Section);
        return new BerthEdgeOptions
        {
            Edge = good.Get<EdgeOptions>() ?? new(),
            Workspaces = good.GetSection(nameof(Workspaces)).Get<WorkspaceOptions>() ?? new(),
            Pages = good.GetSection(nameof(Pages)).Get<PageOptions>() ?? new(),
            Listener = good.GetSection(nameof(Listener)).Get<ListenerOptions>() ?? new(),
            Drain = good.GetSection(nameof(Drain)).Get<DrainOptions>() ?? new(),
            Management = good.GetSection(nameof(Management)).Get<ManagementOptions>() ?? new(),
            Connections = good.GetSection(nameof(Connections)).Get<Dictionary<string, ConnectionOptions>>() ?? [],
            Vault = good.GetSection(nameof(Vault)).Get<VaultOptions>() ?? new(),
            PersonalTokens = good.GetSection(nameof(PersonalTokens)).Get<PersonalTokenOptions>() ?? new(),
            Database = good.GetSection(nameof(Database)).Get<DatabaseOptions>() ?? new(),
        };
    }
}
