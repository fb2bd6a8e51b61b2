using System.Globalization;
using System.Text.Json;

namespace Berth.Images.Sbom;

/// <summary>Writes what is in an image as a CycloneDX bill of materials.</summary>
public static class Program
{
    private const int UsageExitCode = 2;
    private const string ProgramsBill = "app/sbom.cdx.json";
    private const int LargestBill = 64 << 20;

    private const string Usage = """
        usage: Sbom app   --assets project.assets.json --name NAME --version VERSION --revision COMMIT --time EPOCH --output FILE
               Sbom image --root FOLDER --name NAME --version VERSION --time EPOCH --output FILE

          app    the NuGet packages and runtime packs of a project that was restored
          image  an unpacked image: what dpkg knows there, what those packages say of their licences, and the bill of the program in it
                 (app/sbom.cdx.json)
        """;

    /// <summary>Runs the command.</summary>
    /// <returns>0 when the file was written; 2 when arguments or input cannot be used.</returns>
    public static async Task<int> Main(string[] args)
    {
        try
        {
            var arguments = Arguments.Parse(args);
            var bill = arguments.Command == "app" ? App(arguments) : Image(arguments);
            await File.WriteAllTextAsync(arguments["output"], bill.ToJson());
            await Console.Out.WriteLineAsync($"{arguments["output"]}: {bill.Components.Count} components");
            return 0;
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message}{Environment.NewLine}{Usage}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidDataException)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }

        return UsageExitCode;
    }

    private static Bill App(Arguments arguments)
    {
        var file = arguments["assets"];
        var components = AssetsFile.Read(file, File.ReadAllText);
        return new Bill(arguments["name"], arguments["version"], arguments["revision"], arguments.Time, "application", components);
    }

    private static Bill Image(Arguments arguments)
    {
        var root = arguments["root"];
        if (!Directory.Exists(root))
        {
            throw new InvalidDataException($"{root} is no folder: give the unpacked file system of an image as --root.");
        }

        var image = new ImageRoot(root);
        List<Component> components = [.. DpkgStatus.Read(image)];
        if (image.Read(ProgramsBill, LargestBill) is { } program)
        {
            components.AddRange(Bill.ReadComponents(program, ProgramsBill));
        }

        return components.Count > 0
            ? new Bill(arguments["name"], arguments["version"], null, arguments.Time, "container", components)
            : throw new InvalidDataException(
                $"{root} holds neither var/lib/dpkg nor {ProgramsBill}: nothing is known of what is in it.");
    }
}

/// <summary>The arguments: a command and options with a value each.</summary>
internal sealed class Arguments
{
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["app"] = ["assets", "name", "version", "revision", "time", "output"],
        ["image"] = ["root", "name", "version", "time", "output"],
    };

    private readonly Dictionary<string, string> _values = [];

    public required string Command { get; init; }

    public DateTimeOffset Time { get; private set; }

    public string this[string name] => _values[name];

    public static Arguments Parse(string[] args)
    {
        if (args is not [var command, .. var rest] || !Known.TryGetValue(command, out var names))
        {
            throw new ArgumentException("The first argument is app or image.");
        }

        var result = new Arguments { Command = command };
        for (var i = 0; i < rest.Length; i += 2)
        {
            var name = rest[i].StartsWith("--", StringComparison.Ordinal) ? rest[i][2..] : "";
            if (!names.Contains(name))
            {
                throw new ArgumentException($"'{rest[i]}' is no option of {command}.");
            }

            if (i + 1 == rest.Length || !result._values.TryAdd(name, rest[i + 1]))
            {
                throw new ArgumentException($"--{name} needs one value.");
            }
        }

        if (names.FirstOrDefault(n => !result._values.ContainsKey(n)) is { } missing)
        {
            throw new ArgumentException($"--{missing} is missing.");
        }

        if (!long.TryParse(result["time"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253402300799)
        {
            throw new ArgumentException("--time is the number of seconds since 1970, as SOURCE_DATE_EPOCH is.");
        }

        result.Time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return result;
    }
}
