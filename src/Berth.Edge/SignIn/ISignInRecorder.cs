namespace Berth.Edge;

/// <summary>Told of every completed sign-in before the session starts; records the person.</summary>
/// <remarks>The default implementation records nothing and answers epoch 0.</remarks>
internal interface ISignInRecorder
{
    /// <summary>Records the sign-in and answers what the session needs.</summary>
    /// <exception cref="SignInUnavailableException">The store cannot be reached: the person sees the maintenance page, no session
    /// starts.</exception>
    ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken);

    /// <summary>
    /// Notes a sign-in that a browser began here and that was refused after the provider had answered. What anybody can cause without
    /// beginning one is not noted: it would fill an audit log at no cost.
    /// </summary>
    /// <param name="issuer">The provider that was asked.</param>
    /// <param name="reason">The reason of the message that the person sees, such as <c>id-token</c>.</param>
    /// <param name="subject">Who was refused, where the provider has said it; null before.</param>
    void NoteRefusal(string issuer, string reason, string? subject = null)
    {
    }

    /// <summary>Ends sessions because their provider says so; everything that is open for them ends too, on every replica.</summary>
    /// <param name="issuer">The provider.</param>
    /// <param name="subject">The person; null for whoever has the session.</param>
    /// <param name="providerSessionId">The provider's session; null for all sessions of the person.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many sessions ended, as far as that is known: for all of a person's, 1 when there is such a person.</returns>
    /// <exception cref="SignInUnavailableException">The store cannot be reached: nothing ended.</exception>
    ValueTask<int> EndAsync(string issuer, string? subject, string? providerSessionId, CancellationToken cancellationToken) => new(0);

    /// <summary>Notes a sign-out.</summary>
    void NoteSignOut(EdgeSession session)
    {
    }
}

/// <summary>A person whose ID token has been verified.</summary>
internal sealed record SignedInPerson
{
    /// <summary>Issuer, exactly as configured.</summary>
    public required string Issuer { get; init; }

    /// <summary>Subject at the issuer.</summary>
    public required string Subject { get; init; }

    /// <summary>E-mail address; null when the provider gave none, or one that is not an address.</summary>
    public string? Email { get; init; }

    /// <summary>Whether the provider says that it verified the address.</summary>
    public bool EmailVerified { get; init; }

    /// <summary>Name for display.</summary>
    public string? Name { get; init; }

    /// <summary>Id of the session about to start.</summary>
    public required string SessionId { get; init; }

    /// <summary>The provider's session id (sid), for back-channel logout; null when it gave none.</summary>
    public string? ProviderSessionId { get; init; }

    /// <summary>When the sign-in was completed.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Absolute end of the session.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>End of the session unless it is used before.</summary>
    public required DateTimeOffset IdleExpiresAt { get; init; }
}

/// <summary>Answer to a sign-in.</summary>
/// <param name="Epoch">The person's revocation epoch, written into the cookie.</param>
/// <param name="Refused">Why this person may not sign in (a sentence for them); null lets them in.</param>
internal sealed record SignInRecord(long Epoch, string? Refused = null);

/// <summary>The store of people cannot be reached now.</summary>
internal sealed class SignInUnavailableException : Exception
{
    /// <summary>Makes one with a general message.</summary>
    public SignInUnavailableException()
        : base("The account store cannot be reached.")
    {
    }

    /// <summary>Makes one with a message for the log.</summary>
    public SignInUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message for the log and its cause.</summary>
    public SignInUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Records nothing.</summary>
internal sealed class NullSignInRecorder : ISignInRecorder
{
    /// <inheritdoc/>
    public ValueTask<SignInRecord> RecordAsync(SignedInPerson person, CancellationToken cancellationToken) => new(new SignInRecord(0));
}
