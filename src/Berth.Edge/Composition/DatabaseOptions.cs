namespace Berth.Edge;

/// <summary>The account store of the program: section <c>Berth:Edge:Database</c>. In-process composition registers its own.</summary>
public sealed record DatabaseOptions
{
    /// <summary>PostgreSQL, as Npgsql reads it. The default is none: accounts and revocations are in memory, for one replica.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Bring the schema up to date at start. The default is true; false where a deployment step with more rights does.</summary>
    public bool Migrate { get; init; } = true;
}
