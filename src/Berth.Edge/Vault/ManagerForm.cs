using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Berth.Accounts;

namespace Berth.Edge;

/// <summary>How the token manager answers: JSON with names as OAuth writes them, errors as <see cref="ConnectionError"/>.</summary>
internal sealed class ManagerForm : ErrorForm
{
    /// <summary>Beginning of the paths.</summary>
    public const string Prefix = "/api/auth/manager/";

    // In the place of an operation, where a request was refused before it came to one.
    private const string BeforeTheCall = "authenticate";

    /// <summary>The only one.</summary>
    public static ManagerForm Instance { get; } = new();

    /// <inheritdoc/>
    public override bool LogsText => false;

    /// <summary>Answers what is refused before a call begins.</summary>
    public static Task WriteAsync(HttpContext context, EdgeMessage message) =>
        new ConnectionError(message.Reason, message.Status, message.Detail).WriteAsync(context, BeforeTheCall, connection: null);

    /// <summary>Answers with JSON.</summary>
    public static async Task WriteAsync<T>(HttpContext context, int status, JsonTypeInfo<T> type, T value)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await StatedBody.WriteAsync(context, value, type).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task WriteNotAuthenticatedAsync(HttpContext context, string operation) =>
        WriteAsync(context, operation, ManagerErrors.NotAuthenticated);

    /// <inheritdoc/>
    public override Task WriteUnavailableAsync(HttpContext context, string operation, AccountsUnavailableException error) =>
        WriteAsync(context, operation, ManagerErrors.VaultUnavailable);

    /// <inheritdoc/>
    public override Task WriteAsync(HttpContext context, string operation, ProblemException problem) => WriteAsync(
        context, operation, new ConnectionError(problem.Reason, problem.Status, problem.Message) { RetryAfter = problem.RetryAfter });

    /// <inheritdoc/>
    public override Task WriteAsync(HttpContext context, string operation, ConnectionError error) =>
        error.WriteAsync(context, operation, connection: null);
}
