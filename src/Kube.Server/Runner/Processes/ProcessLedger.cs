using System.Globalization;

namespace Kube.Server.Runner.Processes;

/// <summary>
/// A file per running container with what identifies its process beyond doubt (number, start time, boot), and one with the name of this
/// life of the host, so that the next life can end what this one had to leave.
/// </summary>
internal sealed class ProcessLedger
{
    private readonly string _folder;

    public ProcessLedger(string folder)
    {
        _folder = folder;
        PrivateFolders.Create(folder);
    }

    public void Add(string containerId, int pid)
    {
        if (ProcIdentity.Of(pid) is { } identity)
        {
            File.WriteAllText(Path.Combine(_folder, containerId), $"{pid} {identity.StartTime} {identity.Boot}\n");
        }
    }

    public void Remove(string containerId) => File.Delete(Path.Combine(_folder, containerId));

    public void AddInstance(string instance) => File.WriteAllText(Path.Combine(_folder, $"{instance}.instance"), "");

    public void RemoveInstance(string instance) => File.Delete(Path.Combine(_folder, $"{instance}.instance"));

    /// <summary>
    /// Ends what an earlier life of the host left behind: TERM, then KILL after <paramref name="grace"/>. A number that now belongs to
    /// another process (other start time or other boot) is left alone.
    /// </summary>
    /// <returns>How many were found alive.</returns>
    public async Task<int> SweepAsync(TimeSpan grace, TimeProvider time, CancellationToken cancellationToken)
    {
        var instances = Directory.GetFiles(_folder, "*.instance").Select(f => Path.GetFileNameWithoutExtension(f)!).ToList();
        var found = Left(instances);
        foreach (var pid in found)
        {
            _ = Libc.Kill(pid, Libc.SigTerm);
        }

        var until = time.GetUtcNow() + grace;
        var left = found;
        while (left.Count > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
            left = Left(instances);
            if (time.GetUtcNow() < until)
            {
                continue;
            }

            foreach (var pid in left)
            {
                _ = Libc.Kill(pid, Libc.SigKill);
            }

            if (time.GetUtcNow() > until + grace + TimeSpan.FromSeconds(5))
            {
                break; // In uninterruptible sleep, or not ours to signal: nothing more can be done about it.
            }
        }

        foreach (var file in Directory.GetFiles(_folder))
        {
            File.Delete(file);
        }

        return found.Count;
    }

    private HashSet<int> Left(List<string> instances)
    {
        var pids = new HashSet<int>();
        foreach (var file in Directory.GetFiles(_folder))
        {
            var words = Read(file).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length == 3 && int.TryParse(words[0], CultureInfo.InvariantCulture, out var pid) && pid > 1
                && ProcIdentity.Of(pid) is { } now && now.StartTime == words[1] && now.Boot == words[2])
            {
                pids.Add(pid);
            }
        }

        foreach (var instance in instances.Where(i => i.Length >= 32))
        {
            pids.UnionWith(ProcessMark.Find($"{instance}."));
        }

        return pids;
    }

    private static string Read(string file)
    {
        try
        {
            return file.EndsWith(".instance", StringComparison.Ordinal) ? "" : File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";
        }
    }
}

/// <summary>
/// What tells a process from a later one with the same number. Linux only: elsewhere nothing is known and nothing is swept.
/// </summary>
internal readonly record struct ProcIdentity(string StartTime, string Boot)
{
    public static ProcIdentity? Of(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The program's name stands in parentheses and may itself hold spaces and parentheses: fields are counted after the last one.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "Z" ? null : new ProcIdentity(fields[19], File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
