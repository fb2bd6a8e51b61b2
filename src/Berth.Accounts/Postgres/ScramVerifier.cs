using System.Security.Cryptography;
using System.Text;

namespace Berth.Accounts;

/// <summary>
/// A password as PostgreSQL keeps it (RFC 5803, SCRAM-SHA-256). Made here, so that the password itself is in no statement, and so in no
/// log of the server, whatever that is set to write down.
/// </summary>
internal static class ScramVerifier
{
    // PostgreSQL's own, of the RFC's recommendation.
    private const int Iterations = 4096;
    private const int SaltLength = 16;

    /// <summary>Makes one with a new salt.</summary>
    /// <param name="password">Printable ASCII: anything else clients would have to prepare by rules that not all of them share.</param>
    /// <exception cref="ArgumentException">It is empty or has other characters.</exception>
    public static string Of(string password)
    {
        if (password.Length == 0 || password.Any(c => c is < ' ' or > '~'))
        {
            throw new ArgumentException("The password has to be printable ASCII and must not be empty.", nameof(password));
        }

        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            Encoding.ASCII.GetBytes(password), salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var stored = Convert.ToBase64String(SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8)));
        var server = Convert.ToBase64String(HMACSHA256.HashData(salted, "Server Key"u8));
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${stored}:{server}";
    }
}
