namespace Berth.Accounts;

/// <summary>Which people to list; what is null does not matter. Last seen first.</summary>
public sealed record PeopleQuery
{
    /// <summary>Most people in one answer.</summary>
    public const int MaximumLimit = 1000;

    /// <summary>Only of this provider, by its exact issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>Only with this subject, exactly.</summary>
    public string? Subject { get; init; }

    /// <summary>Only with this e-mail address, in upper or lower case. An address is no identity: several people may have it.</summary>
    public string? Email { get; init; }

    /// <summary>Only people who are disabled, or only those who are not.</summary>
    public bool? Disabled { get; init; }

    /// <summary>Only people who were last seen before.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>At most so many, 1 to <see cref="MaximumLimit"/>.</summary>
    /// <value>The default is 100.</value>
    public int Limit { get; init; } = 100;
}
