using System.Text;

namespace Berth.Resources;

/// <summary>
/// Latin letters without their diacritics. Berth runs without culture data (invariant globalization), where the runtime does not decompose
/// characters, so the letters stand here: Latin-1 and Latin Extended-A (U+00C0 to U+017F), and Latin Extended Additional (U+1E00 to
/// U+1EFF).
/// </summary>
internal static class LatinLetters
{
    private const char First = '\u00C0';
    private const char FirstAdditional = '\u1E00';

    // One letter for each code point; a dash for what is no letter, or is two (see below).
    private const string Letters =
        "aaaaaa-ceeeeiiiidnooooo-ouuuuy--aaaaaa-ceeeeiiiidnooooo-ouuuuy-yaaaaaaccccccccddddeeeeeeeeeegggg"
        + "gggghhhhiiiiiiiiii--jjkkkllllllllllnnnnnnnnnoooooo--rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

    private const string AdditionalLetters =
        "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrr"
        + "ssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwya-ss-daaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
        + "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyyllvvyy";

    /// <summary>Appends the letters in lower case that stand for a character; false when it is none of those known here.</summary>
    internal static bool TryAppend(StringBuilder text, char c)
    {
        switch (c)
        {
            case '\u00C6' or '\u00E6':
                text.Append("ae");
                return true;
            case '\u00DF' or '\u1E9E':
                text.Append("ss");
                return true;
            case '\u00DE' or '\u00FE':
                text.Append("th");
                return true;
            case '\u0132' or '\u0133':
                text.Append("ij");
                return true;
            case '\u0152' or '\u0153':
                text.Append("oe");
                return true;
            case '\u0218' or '\u0219':
                text.Append('s');
                return true;
            case '\u021A' or '\u021B':
                text.Append('t');
                return true;
        }

        var letter = c >= FirstAdditional ? Find(AdditionalLetters, c - FirstAdditional) : Find(Letters, c - First);
        if (letter == '-')
        {
            return false;
        }

        text.Append(letter);
        return true;
    }

    /// <summary>
    /// Whether a character only decorates the letter before it: what is typed as letter and accent is read as the letter.
    /// </summary>
    internal static bool IsCombining(char c) => c is >= '\u0300' and <= '\u036F';

    private static char Find(string letters, int index) => index >= 0 && index < letters.Length ? letters[index] : '-';
}
