namespace Berth.Edge;

/// <summary>Log messages of signing in, 4100 to 4199. Next free id: 4118.</summary>
internal static partial class SignInLog
{
    [LoggerMessage(4100, LogLevel.Warning, "Provider {Issuer} could not be loaded (kept: {Kept}): {Problem}")]
    public static partial void ProviderNotLoaded(ILogger logger, string issuer, string kept, string problem);

    [LoggerMessage(4101, LogLevel.Warning, "Keys of {Issuer} could not be fetched again for an unknown key id: {Problem}")]
    public static partial void KeysNotRefetched(ILogger logger, string issuer, string problem);

    [LoggerMessage(4102, LogLevel.Information, "Sign-in refused: {Reason} (request {RequestId})")]
    public static partial void Refused(ILogger logger, string reason, string requestId);

    [LoggerMessage(4103, LogLevel.Warning, "Provider {Issuer} answered a sign-in with error {Error}: {Description} (request {RequestId})")]
    public static partial void ProviderError(ILogger logger, string issuer, string error, string description, string requestId);

    [LoggerMessage(4104, LogLevel.Warning, "Exchange of a code with {Issuer} failed: {Problem} (request {RequestId})")]
    public static partial void ExchangeFailed(ILogger logger, string issuer, string problem, string requestId);

    [LoggerMessage(4105, LogLevel.Warning, "ID token of {Issuer} refused: {Reason} (request {RequestId})")]
    public static partial void IdTokenRefused(ILogger logger, string issuer, TokenError reason, string requestId);

    [LoggerMessage(4106, LogLevel.Information, "Signed in: {Issuer} {Subject}, session {SessionId}")]
    public static partial void SignedIn(ILogger logger, string issuer, string subject, string sessionId);

    [LoggerMessage(4107, LogLevel.Information, "Signed out: session {SessionId}, {Connections} open connections ended")]
    public static partial void SignedOut(ILogger logger, string sessionId, int connections);

    [LoggerMessage(4108, LogLevel.Warning, "The account store did not take a sign-in")]
    public static partial void StoreUnavailable(ILogger logger, Exception exception);

    [LoggerMessage(4109, LogLevel.Warning, "Userinfo of {Issuer} was not used: {Problem}")]
    public static partial void NoUserInfo(ILogger logger, string issuer, string problem);

    [LoggerMessage(4110, LogLevel.Information, "Bearer token refused: {Reason}")]
    public static partial void BearerRefused(ILogger logger, TokenError reason);

    [LoggerMessage(4111, LogLevel.Warning, "The session {SessionId} could not be revoked in the account store")]
    public static partial void NotRevoked(ILogger logger, Exception exception, string sessionId);

    [LoggerMessage(4113, LogLevel.Information, "Logout token refused: {Reason} (request {RequestId})")]
    public static partial void LogoutTokenRefused(ILogger logger, TokenError reason, string requestId);

    [LoggerMessage(4114, LogLevel.Information, "Signed out by {Issuer}, its session {ProviderSession}: {Count} sessions ended")]
    public static partial void SignedOutByProvider(ILogger logger, string issuer, string providerSession, int count);

    [LoggerMessage(4115, LogLevel.Warning, "Session {SessionId} could not be renewed with {Issuer} and goes on as it is: {Problem}")]
    public static partial void NotRefreshed(ILogger logger, string issuer, string sessionId, string problem);

    [LoggerMessage(4116, LogLevel.Information, "Session {SessionId} ends: {Issuer} does not renew it any more ({Detail})")]
    public static partial void RefreshOver(ILogger logger, string issuer, string sessionId, string detail);

    [LoggerMessage(4117, LogLevel.Warning, "The refresh token of session {SessionId} stays until the session would have ended: {Problem}")]
    public static partial void NotForgotten(ILogger logger, string sessionId, string problem);

    [LoggerMessage(4112, LogLevel.Warning, "A token could not be verified by asking {Issuer}: {Problem}")]
    public static partial void NotIntrospected(ILogger logger, string issuer, string problem);
}
