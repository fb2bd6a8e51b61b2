namespace Berth.Studio.Identity;

/// <summary>The identity of a request was refused; the message says why in words that may be shown.</summary>
internal sealed class IdentityException(string message) : Exception(message);

/// <summary>The keys to check an identity with cannot be had now: nobody can be let in, and nobody is at fault.</summary>
internal sealed class IdentityKeysUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
