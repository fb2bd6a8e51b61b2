using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Berth.Accounts;

/// <summary>
/// Reads what a token endpoint answered, leniently: once the provider has replaced a refresh token, no other flaw of its answer may lose
/// the new one. Works on bytes, so that no token is in a string that cannot be zeroed.
/// </summary>
internal static class TokenAnswerParser
{
    /// <summary>Longest token that is kept, in bytes.</summary>
    public const int MaximumToken = 16 * 1024;

    // Some say it with 200: GitHub bad_refresh_token, Slack invalid_refresh_token and token_revoked.
    private static readonly string[] DeadGrant =
        ["invalid_grant", "bad_refresh_token", "invalid_refresh_token", "token_revoked", "token_expired"];

    private static readonly string[] Passing = ["temporarily_unavailable", "server_error", "slow_down"];

    // A year is beyond every access token; a larger number is a slip of units or a date.
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(366);

    /// <summary>Reads an answer.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="body">The body; the caller zeroes it.</param>
    /// <param name="retryAfter">Retry-After of the answer.</param>
    public static TokenAnswer Parse(int status, ReadOnlySpan<byte> body, TimeSpan? retryAfter)
    {
        var fields = Read(body);
        var answer = Classify(status, fields, retryAfter);
        if (answer.Kind != TokenAnswerKind.Tokens)
        {
            fields.Dispose();
        }

        return answer;
    }

    private static TokenAnswer Classify(int status, Fields fields, TimeSpan? retryAfter)
    {
        var error = fields.Error;
        var told = error is null ? $"{status}" : $"{status} {error}";
        if (status is 429 or 408 or 425)
        {
            return TokenAnswer.Failed(TokenAnswerKind.NotDone, told, retryAfter);
        }

        if (status >= 500)
        {
            return TokenAnswer.Failed(TokenAnswerKind.Unknown, told, retryAfter);
        }

        if (error is not null)
        {
            return TokenAnswer.Failed(
                DeadGrant.Contains(error) ? TokenAnswerKind.InvalidGrant
                    : Passing.Contains(error) ? TokenAnswerKind.NotDone : TokenAnswerKind.Refused,
                told, retryAfter);
        }

        if (status is < 200 or > 299)
        {
            return TokenAnswer.Failed(TokenAnswerKind.Refused, told, retryAfter);
        }

        if (fields.AccessToken is null && fields.RefreshToken is null)
        {
            return TokenAnswer.Failed(TokenAnswerKind.Unknown, $"{status} without a token", retryAfter);
        }

        return new TokenAnswer
        {
            Kind = TokenAnswerKind.Tokens,
            AccessToken = fields.AccessToken,
            RefreshToken = fields.RefreshToken,
            IdToken = fields.IdToken,
            TokenType = fields.TokenType ?? "Bearer",
            Scope = fields.Scope,
            ExpiresIn = fields.ExpiresIn,
            SessionId = fields.SessionId,
            Detail = told,
        };
    }

    private static Fields Read(ReadOnlySpan<byte> body)
    {
        var fields = new Fields();
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 32, AllowTrailingCommas = true });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return fields;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                fields.Take(ref reader);
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // What was read before the flaw counts.
        }

        return fields;
    }

    private sealed class Fields : IDisposable
    {
        public Secret? AccessToken { get; private set; }

        public Secret? RefreshToken { get; private set; }

        public Secret? IdToken { get; private set; }

        public string? TokenType { get; private set; }

        public string? Scope { get; private set; }

        public string? SessionId { get; private set; }

        public string? Error { get; private set; }

        public TimeSpan? ExpiresIn { get; private set; }

        public void Take(ref Utf8JsonReader reader)
        {
            var name = reader.ValueSpan.Length <= 32 ? Encoding.UTF8.GetString(reader.ValueSpan) : "";
            reader.Read();
            switch (name)
            {
                case "access_token":
                    AccessToken = Token(ref reader, AccessToken);
                    break;
                case "refresh_token":
                    RefreshToken = Token(ref reader, RefreshToken);
                    break;
                case "id_token":
                    IdToken = Token(ref reader, IdToken);
                    break;
                case "token_type":
                    TokenType = Text(ref reader, 32);
                    break;
                case "scope":
                    Scope = reader.TokenType == JsonTokenType.StartArray ? List(ref reader) : Text(ref reader, 4096);
                    break;
                case "session_state" or "sid":
                    SessionId = Text(ref reader, 255) ?? SessionId;
                    break;
                case "error":
                    Error = Text(ref reader, 64) is { } code && code.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
                        ? code : "unreadable_error";
                    break;
                case "expires_in":
                    ExpiresIn = Life(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        public void Dispose()
        {
            AccessToken?.Dispose();
            RefreshToken?.Dispose();
            IdToken?.Dispose();
        }

        private static Secret? Token(ref Utf8JsonReader reader, Secret? before)
        {
            if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length is 0 or > MaximumToken)
            {
                reader.Skip();
                return before;
            }

            before?.Dispose();
            if (!reader.ValueIsEscaped)
            {
                return new Secret(reader.ValueSpan);
            }

            using var whole = new Secret(reader.ValueSpan.Length);
            var length = reader.CopyString(whole.Writable);
            return new Secret(whole.Bytes[..length]);
        }

        private static string? Text(ref Utf8JsonReader reader, int maximum)
        {
            if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > maximum)
            {
                reader.Skip();
                return null;
            }

            var text = reader.GetString();
            return string.IsNullOrWhiteSpace(text) || text.Any(char.IsControl) ? null : text;
        }

        private static string? List(ref Utf8JsonReader reader)
        {
            var items = new List<string>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (Text(ref reader, 255) is { } item)
                {
                    items.Add(item);
                }
            }

            return items.Count == 0 ? null : string.Join(' ', items);
        }

        private static TimeSpan? Life(ref Utf8JsonReader reader)
        {
            double seconds;
            switch (reader.TokenType)
            {
                case JsonTokenType.Number when reader.TryGetDouble(out seconds):
                    break;
                case JsonTokenType.String when double.TryParse(
                    Text(ref reader, 32), NumberStyles.Float, CultureInfo.InvariantCulture, out seconds):
                    break;
                default:
                    reader.Skip();
                    return null;
            }

            return double.IsFinite(seconds) && seconds >= 1 && seconds <= LongestLife.TotalSeconds ? TimeSpan.FromSeconds(seconds) : null;
        }
    }
}
