namespace Berth.Edge;

/// <summary>The configuration cannot be used. The message lists every problem with its key and the remedy.</summary>
public sealed class EdgeConfigurationException : Exception
{
    /// <summary>Makes one without details.</summary>
    public EdgeConfigurationException()
        : this(["the configuration is not usable"])
    {
    }

    /// <summary>Makes one from a single problem.</summary>
    public EdgeConfigurationException(string message)
        : this([message])
    {
    }

    /// <summary>Makes one with a cause.</summary>
    public EdgeConfigurationException(string message, Exception innerException)
        : base(message, innerException)
    {
        Problems = [message];
    }

    /// <summary>Makes one from all problems.</summary>
    public EdgeConfigurationException(IReadOnlyList<string> problems)
        : base($"The configuration of the edge has {problems?.Count ?? 0} problem(s):\n"
            + string.Join('\n', (problems ?? []).Select(p => "  - " + p)))
    {
        Problems = problems ?? [];
    }

    /// <summary>One sentence each: key, what is wrong, remedy.</summary>
    public IReadOnlyList<string> Problems { get; }
}
