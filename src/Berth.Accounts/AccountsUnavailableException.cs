namespace Berth.Accounts;

/// <summary>The store of accounts cannot be reached now. Worth another try later; nothing is wrong with the request.</summary>
public sealed class AccountsUnavailableException : Exception
{
    /// <summary>Makes one with a general message.</summary>
    public AccountsUnavailableException()
        : base("The account database cannot be reached.")
    {
    }

    /// <summary>Makes one with a message for the log.</summary>
    public AccountsUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message for the log and its cause.</summary>
    public AccountsUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
