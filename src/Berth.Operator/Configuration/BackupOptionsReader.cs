using System.Net;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>Reads and checks <see cref="BackupOptions"/>.</summary>
internal static class BackupOptionsReader
{
    internal static BackupOptions Read(BackupOptions defaults, OptionSource source) =>
        new()
        {
            Mode = source.Choice("Backup:Mode", defaults.Mode),
            Image = source.Text("Backup:Image", defaults.Image),
            Claim = source.Text("Backup:Claim", defaults.Claim),
            SnapshotClass = source.Text("Backup:SnapshotClass", defaults.SnapshotClass),
            DeadlineSeconds = source.Number("Backup:DeadlineSeconds", defaults.DeadlineSeconds),
            Cpu = source.Text("Backup:Cpu", defaults.Cpu),
            Memory = source.Text("Backup:Memory", defaults.Memory),
            S3Endpoint = source.Text("Backup:S3:Endpoint", defaults.S3Endpoint),
            S3Bucket = source.Text("Backup:S3:Bucket", defaults.S3Bucket),
            S3Region = source.Text("Backup:S3:Region", defaults.S3Region),
            S3Prefix = source.Text("Backup:S3:Prefix", defaults.S3Prefix),
            S3Secret = source.Text("Backup:S3:Secret", defaults.S3Secret),
            S3Networks = source.Text("Backup:S3:Networks", defaults.S3Networks),
        };

    internal static BackupSettings Check(BackupOptions options, string? pullPolicy, List<string> problems)
    {
        Uri? endpoint = null;
        if (options.S3Endpoint.Length > 0 && !(Uri.TryCreate(options.S3Endpoint, UriKind.Absolute, out endpoint)
            && endpoint.Scheme is "http" or "https" && endpoint.Query.Length == 0 && endpoint.UserInfo.Length == 0))
        {
            problems.Add($"Backup:S3:Endpoint is '{options.S3Endpoint}'; use an http or https URL such as https://s3.example.com, "
                + "without the bucket and without keys.");
        }

        if (options.S3Endpoint.Length > 0 && (options.S3Bucket.Length == 0 || options.S3Secret.Length == 0))
        {
            problems.Add("Backup:S3:Endpoint needs Backup:S3:Bucket and Backup:S3:Secret.");
        }

        if (options.S3Endpoint.Length > 0 && options.Claim.Length > 0)
        {
            problems.Add("Backup:Claim and Backup:S3:Endpoint are both set; archives go to one place: take one of them out.");
        }

        if (options.Mode == BackupMode.Archive && options.S3Endpoint.Length == 0 && options.Claim.Length == 0)
        {
            problems.Add("Backup:Mode is Archive, and there is no place for archives: set Backup:Claim or Backup:S3:Endpoint.");
        }

        if (options.DeadlineSeconds is < 60 or > 604800)
        {
            problems.Add($"Backup:DeadlineSeconds is {options.DeadlineSeconds}; use 60 to 604800 (a week).");
        }

        foreach (var (key, text) in (ReadOnlySpan<(string, string)>)[("Cpu", options.Cpu), ("Memory", options.Memory)])
        {
            if (!Quantity.TryParse(text, out var quantity) || quantity.Sign <= 0)
            {
                problems.Add($"Backup:{key} is '{text}'; use a quantity such as 1 or 512Mi.");
            }
        }

        if (options.Image.Length == 0)
        {
            problems.Add("Backup:Image is empty; set the operator's own image.");
        }

        var networks = options.S3Networks.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        problems.AddRange(networks.Where(n => !IPNetwork.TryParse(n, out _)).Select(n =>
            $"Backup:S3:Networks holds '{n}'; use networks such as 192.0.2.0/24, separated by commas, "
                + "with no bits set behind the prefix."));
        return new BackupSettings
        {
            Mode = options.Mode,
            Image = options.Image,
            ImagePullPolicy = pullPolicy,
            Claim = options.Claim.Length == 0 ? null : options.Claim,
            SnapshotClass = options.SnapshotClass.Length == 0 ? null : options.SnapshotClass,
            Deadline = TimeSpan.FromSeconds(Math.Clamp(options.DeadlineSeconds, 60, 604800)),
            Cpu = options.Cpu,
            Memory = options.Memory,
            ObjectStore = endpoint is null
                ? null
                : new ObjectStoreSettings
                {
                    Endpoint = endpoint,
                    Bucket = options.S3Bucket,
                    Region = options.S3Region,
                    Prefix = options.S3Prefix,
                    Secret = options.S3Secret,
                    Networks = networks,
                },
        };
    }
}
