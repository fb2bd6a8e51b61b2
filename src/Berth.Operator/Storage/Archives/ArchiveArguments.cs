using System.Globalization;

namespace Berth.Operator.Archives;

/// <summary>Arguments of the archive command.</summary>
internal sealed record ArchiveArguments
{
    internal const string Usage = """
        Berth.Operator archive create  --root FOLDER --name NAME (--folder FOLDER | --prefix PREFIX) [--keep N]
        Berth.Operator archive verify  --name NAME (--folder FOLDER | --prefix PREFIX)
        Berth.Operator archive restore --root FOLDER --name NAME --id ID (--folder FOLDER | --prefix PREFIX)
                                       [--max-bytes N] [--max-entries N]
        Berth.Operator archive list    (--folder FOLDER | --prefix PREFIX)

          --root     the volume
          --folder   archives are files in this folder
          --prefix   archives are objects below this prefix of an S3 bucket: BERTH_S3_ENDPOINT, BERTH_S3_BUCKET, BERTH_S3_REGION
                     (default us-east-1), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
          --keep     keep so many complete archives; 0, the default, keeps all
          --result   also write the result, JSON, into this file
        """;

    public required string Verb { get; init; }

    public string? Root { get; init; }

    public string? Name { get; init; }

    public string? Folder { get; init; }

    public string? Prefix { get; init; }

    public string? Id { get; init; }

    public string? Result { get; init; }

    public int Keep { get; init; }

    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Ten million: more files than a volume has inodes for, most often.</summary>
    public long MaxEntries { get; init; } = 10_000_000;

    /// <exception cref="ArchiveException">They cannot be used; the message says why and how they are used.</exception>
    internal static ArchiveArguments Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments[0] is not ("create" or "verify" or "restore" or "list"))
        {
            throw Wrong("Say what to do: create, verify, restore or list.");
        }

        var parsed = new ArchiveArguments { Verb = arguments[0] };
        for (var i = 1; i < arguments.Count; i += 2)
        {
            if (i + 1 >= arguments.Count)
            {
                throw Wrong($"{arguments[i]} needs a value.");
            }

            var value = arguments[i + 1];
            parsed = arguments[i] switch
            {
                "--root" => parsed with { Root = value },
                "--name" => ArchiveNames.IsName(value) ? parsed with { Name = value } : throw Wrong($"'{value}' is no name of an archive."),
                "--folder" => parsed with { Folder = value },
                "--prefix" => parsed with { Prefix = value.Trim('/') },
                "--id" => ArchiveNames.IsName(value) ? parsed with { Id = value } : throw Wrong($"'{value}' is no id of a restore."),
                "--result" => parsed with { Result = value },
                "--keep" => parsed with { Keep = (int)Number(arguments[i], value, 100_000) },
                "--max-bytes" => parsed with { MaxBytes = Number(arguments[i], value, long.MaxValue) },
                "--max-entries" => parsed with { MaxEntries = Number(arguments[i], value, long.MaxValue) },
                _ => throw Wrong($"{arguments[i]} is not known."),
            };
        }

        return parsed switch
        {
            { Folder: null, Prefix: null } or { Folder: not null, Prefix: not null } => throw Wrong("Give --folder or --prefix."),
            { Verb: not "list", Name: null } => throw Wrong("--name is missing."),
            { Verb: "create" or "restore", Root: null } => throw Wrong("--root is missing."),
            { Verb: "restore", Id: null } => throw Wrong("--id is missing."),
            _ => parsed,
        };
    }

    private static long Number(string name, string value, long most) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most
            ? number
            : throw Wrong($"{name} is '{value}'; use a whole number.");

    private static ArchiveException Wrong(string message) => new(message + Environment.NewLine + Usage);
}
