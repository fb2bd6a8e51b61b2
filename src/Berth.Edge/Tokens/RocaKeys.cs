using System.Numerics;

namespace Berth.Edge;

/// <summary>Recognises RSA moduli of the generator that made factorable keys (CVE-2017-15361).</summary>
/// <remarks>
/// Its primes are k*M + (65537^a mod M) for M a product of small primes, so the modulus is a power of 65537 modulo each of them. A random
/// modulus passes all of these tests with a probability below 2^-27.
/// </remarks>
internal static class RocaKeys
{
    private static readonly int[] Primes =
    [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137,
            139, 149,
        151, 157, 163, 167,
    ];

    /// <summary>Whether a big-endian modulus carries the fingerprint.</summary>
    public static bool IsWeak(ReadOnlySpan<byte> modulus)
    {
        var n = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        foreach (var prime in Primes)
        {
            if (!IsPower((int)(n % prime), prime))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPower(int residue, int prime)
    {
        var generator = 65537 % prime;
        var power = 1;
        do
        {
            if (power == residue)
            {
                return true;
            }

            power = power * generator % prime;
        }
        while (power != 1);
        return false;
    }
}
