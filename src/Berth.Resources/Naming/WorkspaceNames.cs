using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Berth.Resources;

/// <summary>
/// Names of workspaces, derived from who owns them: two replicas that create a person's workspace at the same time end with one resource,
/// and nothing has to be looked up to know the name.
/// </summary>
public static class WorkspaceNames
{
    /// <summary>First characters of each derived name; a letter, because a Service's name must begin with one.</summary>
    public const string Prefix = "ws-";

    /// <summary>Characters of the hash in names and in <see cref="Labels.Owner"/>: 80 bits.</summary>
    public const int HashLength = 16;

    /// <summary>Longest name of a workspace: it becomes a DNS label, the name of a Service and the value of a label.</summary>
    public const int MaxLength = 63;

    /// <summary>Longest slug that <see cref="ForOwner(string, string, string)"/> takes.</summary>
    public const int MaxSlugLength = 40;

    /// <summary>The name of a person's default workspace, such as <c>ws-mfrggzdfmztwq2lk</c>.</summary>
    /// <param name="issuer">Issuer identifier, compared and hashed exactly as given.</param>
    /// <param name="subject">Subject at that issuer.</param>
    /// <exception cref="ArgumentException">One of them is empty, or holds a NUL (which separates them in the hash).</exception>
    public static string ForOwner(string issuer, string subject) => Prefix + OwnerHash(issuer, subject);

    /// <summary>The name of a further workspace of the same person: <c>ws-…-slug</c>.</summary>
    /// <exception cref="ArgumentException"><paramref name="slug"/> is no slug, see <see cref="IsSlug"/>.</exception>
    public static string ForOwner(string issuer, string subject, string slug)
    {
        if (!IsSlug(slug))
        {
            throw new ArgumentException(
                $"'{slug}' is not a slug: use 1 to {MaxSlugLength} lower-case letters, digits and single dashes, with no dash at "
                    + "either end.",
                nameof(slug)
            );
        }

        return $"{ForOwner(issuer, subject)}-{slug}";
    }

    /// <summary>The first 16 base32 characters of SHA-256(issuer, 0x00, subject): value of the label <see cref="Labels.Owner"/>.</summary>
    /// <exception cref="ArgumentException">One of them is empty, or holds a NUL.</exception>
    public static string OwnerHash(string issuer, string subject)
    {
        Check(issuer, nameof(issuer));
        Check(subject, nameof(subject));
        var bytes = Encoding.UTF8.GetBytes($"{issuer}\0{subject}");
        return Base32.Encode(SHA256.HashData(bytes), HashLength);
    }

    /// <summary>
    /// Whether a text can be appended to a person's name: lower-case letters, digits, single dashes inside, 1 to 40 characters.
    /// </summary>
    public static bool IsSlug([NotNullWhen(true)] string? slug) =>
        slug is { Length: > 0 and <= MaxSlugLength } && IsLabel(slug) && !slug.Contains("--", StringComparison.Ordinal);

    /// <summary>
    /// Makes a slug of what a person typed; null when nothing usable is left of it. Latin letters lose their diacritics (Café becomes
    /// cafe); what is no Latin letter or digit becomes a dash.
    /// </summary>
    public static string? Slugify(string? text)
    {
        var slug = new StringBuilder();
        foreach (var c in text ?? "")
        {
            if (slug.Length >= MaxSlugLength)
            {
                break;
            }

            if (char.IsAsciiLetterOrDigit(c))
            {
                slug.Append(char.ToLowerInvariant(c));
            }
            else if (LatinLetters.IsCombining(c) || LatinLetters.TryAppend(slug, c))
            {
                // The letter is there, or stood before.
            }
            else if (slug.Length > 0 && slug[^1] != '-')
            {
                slug.Append('-');
            }
        }

        // A letter that became two may have made it one too long.
        var result = slug.ToString(0, Math.Min(slug.Length, MaxSlugLength)).Trim('-');
        return result.Length == 0 ? null : result;
    }

    /// <summary>Whether a workspace may bear this name: an RFC 1035 label (a letter first), at most 63 characters.</summary>
    public static bool IsValid([NotNullWhen(true)] string? name) =>
        name is { Length: > 0 and <= MaxLength } && char.IsAsciiLetterLower(name[0]) && IsLabel(name);

    private static bool IsLabel(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return false;
            }
        }

        return text[0] != '-' && text[^1] != '-';
    }

    private static void Check(string value, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(value, name);
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("An identity cannot hold a NUL character.", name);
        }
    }
}
